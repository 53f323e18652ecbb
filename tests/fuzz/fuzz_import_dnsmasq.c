/* SPDX-License-Identifier: MIT */
/*
 * The importer of dnsmasq.conf: whatever a file holds and includes, a text comes out, and nothing
 * in it can steer a terminal.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hearthctl/import_dnsmasq.h"

static struct {
	const uint8_t *data;
	size_t size;
} input;

/* Every file has the same text: includes lead in circles. */
static char *
read_input(void *ctx, const char *path, size_t *len)
{
	char *text = malloc(input.size + 1);

	(void)ctx;
	(void)path;
	FUZZ_CHECK(text != NULL);
	memcpy(text, input.data, input.size);
	*len = input.size;
	return text;
}

static char *
list_input(void *ctx, const char *path)
{
	static const char names[] = "a.conf\0b.bak\0";
	char *copy = malloc(sizeof(names));

	(void)ctx;
	(void)path;
	FUZZ_CHECK(copy != NULL);
	return memcpy(copy, names, sizeof(names));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct import_files files = { .read = read_input, .list = list_input };
	char path[] = "main.conf", *paths[] = { path }, *out;
	struct import_counts counts;
	size_t bad;

	if (size > 2000)
		return 0;
	input.data = data;
	input.size = size;
	FUZZ_CHECK(import_dnsmasq(&files, paths, 1, &out, &counts, &bad) == OK);
	for (const char *p = out; *p != '\0'; p++)
		FUZZ_CHECK((unsigned char)*p >= ' ' || *p == '\n' || *p == '\t');
	free(out);
	return 0;
}
