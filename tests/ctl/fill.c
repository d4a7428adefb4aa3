/* SPDX-License-Identifier: ISC */
/* fill DIR NOW: puts the example of the unit tests into a state directory. */
#include "../unit/ctl_example.h"

int main(int argc, char **argv)
{
	struct error err;
	if (argc != 3)
		return 2;
	if (example_fill(argv[1], strtoll(argv[2], NULL, 10), &err))
		return 0;
	fprintf(stderr, "fill: %s\n", err.text);
	return 1;
}
