/* SPDX-License-Identifier: MIT */
/* A tree of JSON as rows with dotted names: {"dns": {"hits": 1}} is dns.hits. */
#ifndef HEARTHCTL_FLAT_H
#define HEARTHCTL_FLAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct flat_row {
	char *key;		/* "" where the root is no object */
	const json_t *value;	/* not an object, apart from an empty one; borrowed from the tree */
};

struct flat {
	struct flat_row *rows;	/* in the order of the tree */
	size_t count;
};

/* The tree must outlive the rows. False where there is no memory; flat_free() is fine then too. */
bool flat_make(struct flat *f, const json_t *root);
void flat_free(struct flat *f);

/* The value under a key, or NULL. */
const json_t *flat_find(const struct flat *f, const char *key);

/* A list that reads better as a table: it has an object in it. */
bool flat_is_table(const json_t *value);

/*
 * Write a value that is no table as text: what could move the cursor is escaped; lists with commas.
 * quote: texts that hold spaces or signs, and empty ones, stand in quotes.
 */
void flat_print(const json_t *value, bool quote, FILE *out);

#endif
