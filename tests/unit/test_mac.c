/* SPDX-License-Identifier: MIT */
#include "util/mac.h"

#include <string.h>

#include "support/unit.h"

static void
both_spellings_are_read(void)
{
	static const uint8_t want[MAC_BYTES] = { 0x52, 0x54, 0, 0x12, 0xab, 0xcd };
	static const char *const texts[] = { "52:54:00:12:ab:cd", "52-54-00-12-AB-CD" };
	uint8_t mac[MAC_BYTES];
	char text[MAC_TEXT_MAX];

	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(mac_parse(mac, texts[i]));
		CU_ASSERT_EQUAL(memcmp(mac, want, MAC_BYTES), 0);
	}
	CU_ASSERT_STRING_EQUAL(mac_format(want, ':', text), "52:54:00:12:ab:cd");
	CU_ASSERT_STRING_EQUAL(mac_format(want, '-', text), "52-54-00-12-ab-cd");
}

static void
what_is_none_is_refused(void)
{
	static const char *const texts[] = { "", "52:54:00:12:ab", "52:54:00:12:ab:cd:ef",
		"52:54:00:12:ab:cg", "52.54.00.12.ab.cd", "525400 12abcd....", "5254:0012:abcd:00",
		"192.168.100.100.1" };
	uint8_t mac[MAC_BYTES];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_FALSE(mac_parse(mac, texts[i]));
}

UNIT_MAIN("mac", UNIT(both_spellings_are_read), UNIT(what_is_none_is_refused))
