EXTRA_DIST += %D%/demo %D%/examples
