/* SPDX-License-Identifier: MIT */
/* MAC addresses as text. */
#ifndef UTIL_MAC_H
#define UTIL_MAC_H

#include <stdbool.h>
#include <stdint.h>

#define MAC_BYTES    6
#define MAC_TEXT_MAX 18	/* "52-54-00-12-34-56" and its zero */

/* Lower case, with that sign between the bytes; gives buf. */
const char *mac_format(const uint8_t mac[static MAC_BYTES], char between,
    char buf[static MAC_TEXT_MAX]);
/* With "-" or ":" between the bytes, any letter case. False: it is none. */
bool mac_parse(uint8_t mac[static MAC_BYTES], const char *text);

#endif
