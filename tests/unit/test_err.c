/* SPDX-License-Identifier: MIT */
#include "util/err.h"

#include <string.h>

#include "support/unit.h"

static void
every_error_has_words_of_its_own(void)
{
	for (int a = ERR_UNSUPPORTED; a <= OK; a++) {
		CU_ASSERT_STRING_NOT_EQUAL(err_text((enum err)a), "unknown error");
		for (int b = ERR_UNSUPPORTED; b < a; b++)
			CU_ASSERT_STRING_NOT_EQUAL(err_text((enum err)a), err_text((enum err)b));
	}
}

static void
a_number_that_is_no_error_has_words_too(void)
{
	CU_ASSERT_STRING_EQUAL(err_text((enum err)1), "unknown error");
	CU_ASSERT_STRING_EQUAL(err_text((enum err)(ERR_UNSUPPORTED - 1)), "unknown error");
}

UNIT_MAIN("err", UNIT(every_error_has_words_of_its_own),
    UNIT(a_number_that_is_no_error_has_words_too))
