/* SPDX-License-Identifier: ISC */
/* What any dynamic C program costs. */
int main(void)
{
	return 0;
}
