/* SPDX-License-Identifier: MIT */
/* Bytes as text that people paste: base32 and base64 (RFC 4648). */
#ifndef SERVICES_ANNOUNCE_ARMOR_H
#define SERVICES_ANNOUNCE_ARMOR_H

#include <stddef.h>
#include <stdint.h>

#include "util/err.h"
#include "util/span.h"

/* Room for n bytes as text with the closing zero. */
#define ARMOR_BASE32_TEXT(n) (((n) * 8 + 4) / 5 + 1)
#define ARMOR_BASE64_TEXT(n) (((n) + 2) / 3 * 4 + 1)

/* Write as base64 with padding; out holds ARMOR_BASE64_TEXT(bytes.len). */
void armor_base64(char *out, struct span bytes);
/* Write as base32 in capitals without padding; out holds ARMOR_BASE32_TEXT(bytes.len). */
void armor_base32(char *out, struct span bytes);

/*
 * Read exactly len bytes back. Base64 may lack its padding; base32 may be in small letters and
 * have hyphens and blanks anywhere.
 *
 * errors  ERR_FORMAT: another length, a character outside the alphabet, or bits left over that
 *	   are not zero, so that each value has one spelling
 */
enum err armor_base64_read(uint8_t *out, size_t len, struct span text) MUST_CHECK;
enum err armor_base32_read(uint8_t *out, size_t len, struct span text) MUST_CHECK;

#endif
