/* SPDX-License-Identifier: ISC */
/* Runs a fuzz target over the files named on the command line: the corpus as a regression test,
 * without libFuzzer. */
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 1;
	}
	uint8_t *data = malloc(1 << 20);
	size_t n = data ? fread(data, 1, 1 << 20, f) : 0;
	fclose(f);
	/* An exact copy, so that a sanitizer sees the first byte read past the end. */
	uint8_t *exact = data ? malloc(n ? n : 1) : NULL;
	if (exact) {
		memcpy(exact, data, n);
		LLVMFuzzerTestOneInput(exact, n);
	}
	free(exact);
	free(data);
	return exact ? 0 : 1;
}

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed += replay(argv[i]);
	printf("%d passed, %d failed\n", argc - 1 - failed, failed);
	return failed || argc < 2 ? 1 : 0;
}
