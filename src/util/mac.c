/* SPDX-License-Identifier: MIT */
#include "util/mac.h"

#include <stdio.h>
#include <string.h>

#include "util/span.h"

const char *
mac_format(const uint8_t mac[static MAC_BYTES], char between, char buf[static MAC_TEXT_MAX])
{
	(void)snprintf(buf, MAC_TEXT_MAX, "%02x%c%02x%c%02x%c%02x%c%02x%c%02x", mac[0], between,
	    mac[1], between, mac[2], between, mac[3], between, mac[4], between, mac[5]);
	return buf;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)ascii_lower((uint8_t)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
mac_parse(uint8_t mac[static MAC_BYTES], const char *text)
{
	if (strlen(text) != MAC_TEXT_MAX - 1)
		return false;
	for (size_t i = 0; i < MAC_BYTES; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
		char between = text[3 * i + 2];

		if (high < 0 || low < 0 || (i < MAC_BYTES - 1 && between != ':' && between != '-'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
