/* SPDX-License-Identifier: MIT */
/*
 * What is wrong between values that are each fine by themselves. It is looked for when a file has
 * been read to its end, so that whatever it needs to know has its value or its default.
 */
#include "core/conf_tree.h"

#include "util/addr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_MAX (2 * CONF_PATH_MAX)

/* Say which other value is meant, to one who looks at file. Gives buf. */
static const char *
place_of(const struct conf *cf, const struct conf_slot *slot, const struct conf_value *v,
    const char *file, char buf[static PLACE_MAX])
{
	char path[CONF_PATH_MAX];

	conf_path(cf, slot->key->name, path);
	if (v->file == NULL)
		snprintf(buf, PLACE_MAX, "the default of %s", path);
	else if (v->file == file)
		snprintf(buf, PLACE_MAX, "%s in line %u", path, v->line);
	else
		snprintf(buf, PLACE_MAX, "%s in %s:%u", path, v->file, v->line);
	return buf;
}

/* --- what a service checks itself ------------------------------------------------------------- */

static void
check_slot(const struct conf *cf, const struct conf_slot *slot, struct conf_findings *f)
{
	char path[CONF_PATH_MAX];

	for (size_t i = 0; slot->given && i < slot->values_count; i++) {
		const struct conf_value *v = &slot->values[i];
		const char *wrong = slot->key->check_with(cf, i);

		if (wrong != NULL)
			conf_find(f, ERR_FORMAT, v->file, v->line, "%s: \"%s\": %s",
			    conf_path(cf, slot->key->name, path), v->text, wrong);
	}
	for (size_t i = 0; i < slot->sections_count; i++) {
		const struct conf *section = slot->sections[i];
		const char *wrong = section->file != NULL ? slot->key->check_with(cf, i) : NULL;

		if (wrong != NULL)
			conf_find(f, ERR_FORMAT, section->file, section->line, "%s: %s",
			    conf_path(section, NULL, path), wrong);
	}
}

/* --- number ----------------------------------------------------------------------------------- */

static void
check_count(const struct conf *cf, const struct conf_slot *slot, struct conf_findings *f)
{
	unsigned most = slot->key->count_max;
	char path[CONF_PATH_MAX];

	conf_path(cf, slot->key->name, path);
	if (slot->values_count > most)
		conf_find(f, ERR_RANGE, slot->values[most].file, slot->values[most].line,
		    "%s: %zu values, at most %u are taken", path, slot->values_count, most);
	if (slot->sections_count > most)
		conf_find(f, ERR_RANGE, slot->sections[most]->file, slot->sections[most]->line,
		    "%s: %zu sections, at most %u are taken", path, slot->sections_count, most);
}

/* --- order ------------------------------------------------------------------------------------ */

static const struct conf_slot *
slot_named(const struct conf *cf, const char *key)
{
	size_t i = 0;

	while (i < cf->slots_count && strcmp(cf->slots[i].key->name, key) != 0)
		i++;
	assert(i < cf->slots_count);
	return &cf->slots[i];
}

static void
check_order(const struct conf *cf, const struct conf_slot *slot, struct conf_findings *f)
{
	const struct conf_slot *bound = slot_named(cf, slot->key->not_above);
	char path[CONF_PATH_MAX], place[PLACE_MAX];

	assert(bound->key->type == slot->key->type);
	if (!slot->given || !bound->given || slot->values_count == 0 || bound->values_count == 0)
		return;

	const struct conf_value *v = &slot->values[0], *most = &bound->values[0];

	if (v->number <= most->number || most->number == 0)
		return;
	conf_find(f, ERR_RANGE, v->file, v->line, "%s: \"%s\" must not exceed \"%s\", %s",
	    conf_path(cf, slot->key->name, path), v->text, most->text,
	    place_of(cf, bound, most, v->file, place));
}

/* Check what depends on more than one key, all the way down. */
static void
check_section(const struct conf *cf, struct conf_findings *f)
{
	for (size_t i = 0; i < cf->slots_count; i++) {
		const struct conf_slot *slot = &cf->slots[i];

		if (slot->key->check_with != NULL)
			check_slot(cf, slot, f);
		if (slot->key->count_max != 0)
			check_count(cf, slot, f);
		if (slot->key->not_above != NULL)
			check_order(cf, slot, f);
		for (size_t k = 0; k < slot->sections_count; k++)
			check_section(slot->sections[k], f);
	}
}

/* --- addresses to listen on ------------------------------------------------------------------- */

/* One address of a key that is flagged CONF_LISTEN. */
struct listener {
	const struct conf *cf;
	const struct conf_slot *slot;
	const struct conf_value *value;
};

struct listeners {
	struct listener *all;
	size_t count;
	bool nomem;
};

static void
add_listener(struct listeners *ls, const struct conf *cf, const struct conf_slot *slot,
    const struct conf_value *v)
{
	struct listener *grown;

	if (addr_port(&v->addr) == 0)
		return;		/* each gets a port of its own */
	grown = realloc(ls->all, (ls->count + 1) * sizeof(*grown));
	ls->nomem = ls->nomem || grown == NULL;
	if (grown == NULL)
		return;
	ls->all = grown;
	grown[ls->count++] = (struct listener){ .cf = cf, .slot = slot, .value = v };
}

/* All of them in the sections that were written: a service runs where its section is there. */
static void
gather(struct listeners *ls, const struct conf *cf)
{
	for (size_t i = 0; i < cf->slots_count; i++) {
		const struct conf_slot *slot = &cf->slots[i];

		for (size_t k = 0; (slot->key->flags & CONF_LISTEN) && k < slot->values_count; k++)
			add_listener(ls, cf, slot, &slot->values[k]);
		for (size_t k = 0; k < slot->sections_count; k++)
			gather(ls, slot->sections[k]);
	}
}

/* No second socket of ours gets the port: every address holds it on each of them. */
static bool
clash(const struct addr *a, const struct addr *b)
{
	return a->sa.sa_family == b->sa.sa_family && addr_port(a) == addr_port(b) &&
	    (addr_equal_host(a, b) || addr_is_any(a) || addr_is_any(b));
}

static void
complain_clash(const struct listener *at, const struct listener *other, struct conf_findings *f)
{
	const char *file = at->value->file != NULL ? at->value->file : at->cf->file;
	unsigned line = at->value->file != NULL ? at->value->line : at->cf->line;
	char path[CONF_PATH_MAX], taken[ADDR_TEXT_MAX], place[PLACE_MAX];

	conf_path(at->cf, at->slot->key->name, path);
	place_of(other->cf, other->slot, other->value, file, place);
	addr_format(&other->value->addr, taken);
	if (addr_equal(&at->value->addr, &other->value->addr))
		conf_find(f, ERR_FORMAT, file, line, "%s: \"%s\" is listened on already: %s", path,
		    at->value->text, place);
	else
		conf_find(f, ERR_FORMAT, file, line,
		    "%s: \"%s\": the port is taken there by \"%s\", %s", path,
		    at->value->text, taken, place);
}

/* Tell of each address that another one before it has taken. */
static void
check_listeners(const struct listeners *ls, struct conf_findings *f)
{
	for (size_t i = 1; i < ls->count; i++) {
		size_t k = 0;

		while (k < i && !clash(&ls->all[k].value->addr, &ls->all[i].value->addr))
			k++;
		if (k == i)
			continue;
		/* What was written can be changed, so that is where it is told. */
		if (ls->all[i].value->file == NULL && ls->all[k].value->file != NULL)
			complain_clash(&ls->all[k], &ls->all[i], f);
		else
			complain_clash(&ls->all[i], &ls->all[k], f);
	}
}

enum err
conf_check(const struct conf *root, struct conf_findings *f)
{
	struct listeners ls = { 0 };

	check_section(root, f);
	gather(&ls, root);
	check_listeners(&ls, f);
	free(ls.all);
	return ls.nomem ? ERR_NOMEM : OK;
}
