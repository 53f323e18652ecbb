/* SPDX-License-Identifier: MIT */
/* Runs a table of CUnit cases and reports by exit status. */
#include "support/unit.h"

#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int
unit_run(const char *suite, const struct unit_case *cases, size_t n)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;

	CU_pSuite s = CU_add_suite(suite, NULL, NULL);
	int status = 1;

	if (s == NULL)
		goto cleanup;
	for (size_t i = 0; i < n; i++)
		if (CU_add_test(s, cases[i].name, cases[i].run) == NULL)
			goto cleanup;
	setvbuf(stdout, NULL, _IOLBF, 0);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	if (CU_basic_run_tests() == CUE_SUCCESS && CU_get_number_of_tests_run() == n &&
	    CU_get_number_of_tests_failed() == 0 && CU_get_number_of_failures() == 0)
		status = 0;
cleanup:
	CU_cleanup_registry();
	return status;
}

uint64_t
unit_seed(uint64_t fixed)
{
	const char *text = getenv("HEARTH_SEED");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : fixed;

	printf("seed %" PRIu64 "\n", seed);
	return seed;
}

uint64_t
unit_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}
