/* SPDX-License-Identifier: MIT */
/*
 * The door to libconfuse. To it, every value is a text and every section may stand several times;
 * its callbacks build our own tree while it parses, where types, ranges, lines and repetitions are
 * checked by us, so that one reading reports everything that is wrong.
 *
 * How the callbacks are led:
 * - Each section has a hidden list that nobody can type (libconfuse splits names at a |), first in
 *   its table. libconfuse parses the default of a list when a section begins, and nothing else
 *   tells of that moment: on_value() of the hidden list is "a section begins".
 * - Every list has a default that stands for ours, so that += on it can be told from =.
 * - A name that no table has ends libconfuse's parsing. It is then put into the schema as a stray
 *   and everything is read once more; a stray complains when it is met. So all are reported.
 * - There is no context pointer: def.number, which a text does not use, leads to our node.
 */
#include "core/conf_tree.h"

#include "core/log.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#define HIDDEN_NAME "section|begins"
#define STRAYS_MAX  512		/* unknown names that are looked for; conf_peek() knows but few */
#define DEPTH_MAX   32		/* sections in sections: strays in strays, and tables */

enum node_kind {
	NODE_VALUE,
	NODE_SECTION,
	NODE_TITLED,
};

/* A name that may stand in a file: of a table, or a stray. */
struct node {
	struct conf_parser *parser;
	struct node *parent;
	const char *name;
	enum node_kind kind;
	const struct conf_key *key;	/* NULL: the root, or a stray */
	size_t index;			/* of the slot */
	bool stray;
	bool primed;			/* a list: its stand-in has come since the section began */
	char *owned_name;		/* of a stray */
	STAILQ_HEAD(, node) children;
	STAILQ_ENTRY(node) link;
};

/* A section that is being read. */
struct frame {
	const cfg_t *cfg;
	struct node *node;
	struct conf *section;		/* NULL inside a stray, or where memory ran out */
};

struct conf_parser {
	struct node *root;
	struct conf_findings *findings;
	struct conf_file *tree;
	const char *file;		/* in work; owned by tree */
	unsigned sections;
	unsigned strays;
	bool again;			/* a stray was learnt */
	bool stop;			/* too much of something: end at the next chance */
	bool nomem;
	struct frame frames[DEPTH_MAX];
	size_t depth;
	char **includes;		/* of the main file, in the order of writing */
	size_t includes_count;
};

static const struct conf_key include_key = { .name = "include", .type = CONF_STRING,
	.flags = CONF_LIST };

/* --- schema ----------------------------------------------------------------------------------- */

static struct node *
add_node(struct node *parent, const char *name, enum node_kind kind, const struct conf_key *key)
{
	struct node *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	STAILQ_INIT(&n->children);
	n->name = name;
	n->kind = kind;
	n->key = key;
	if (parent != NULL) {
		n->parser = parent->parser;
		n->parent = parent;
		STAILQ_INSERT_TAIL(&parent->children, n, link);
	}
	return n;
}

static void
free_node(struct node *n)
{
	struct node *child;

	if (n == NULL)
		return;
	while ((child = STAILQ_FIRST(&n->children)) != NULL) {
		STAILQ_REMOVE_HEAD(&n->children, link);
		free_node(child);
	}
	free(n->owned_name);
	free(n);
}

static bool
add_table(struct node *parent, const struct conf_key *keys)
{
	for (size_t i = 0; keys[i].name != NULL; i++) {
		const struct conf_key *k = &keys[i];
		enum node_kind kind = k->type != CONF_SECTION ? NODE_VALUE
		    : k->flags & CONF_TITLED		      ? NODE_TITLED : NODE_SECTION;
		struct node *n = add_node(parent, k->name, kind, k);

		if (n == NULL || (kind != NODE_VALUE && !add_table(n, k->keys)))
			return false;
		n->index = i;
	}
	return true;
}

/* A list of a table: libconfuse is given a default for it, so that += can be told from =. */
static bool
has_stand_in(const struct node *n)
{
	return n->key != NULL && n->key != &include_key && n->kind == NODE_VALUE &&
	    (n->key->flags & CONF_LIST);
}

static struct node *
child_named(const struct node *parent, const char *name)
{
	struct node *n;

	STAILQ_FOREACH (n, &parent->children, link)
		if (strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

/* The path of a key, with titles where its sections are known. */
static const char *
path_in(const struct frame *fr, const char *name, char buf[static CONF_PATH_MAX])
{
	if (fr->section != NULL)
		return conf_path(fr->section, name, buf);
	snprintf(buf, CONF_PATH_MAX, "%s.%s", fr->node->name, name);
	return buf;
}

/* --- complaints ------------------------------------------------------------------------------- */

static struct frame *
top(struct conf_parser *ps)
{
	return &ps->frames[ps->depth - 1];
}

static void __attribute__((format(printf, 3, 4)))
complain(struct conf_parser *ps, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	conf_vfind(ps->findings, ERR_FORMAT, ps->file, line, fmt, ap);
	va_end(ap);
}

static void
complain_twice(struct conf_parser *ps, unsigned line, const char *path, const char *file,
    unsigned first)
{
	if (file == ps->file)
		complain(ps, line, "%s: is written twice, first in line %u", path, first);
	else
		complain(ps, line, "%s: is written twice, first in %s:%u", path, file, first);
}

/* libconfuse lets a|b mean key b in section a. We do not: it would need the section to be there. */
static void
complain_path(struct conf_parser *ps, const struct node *n, unsigned line)
{
	complain(ps, line, "%s: is written inside of its section, not behind a |", n->name);
	ps->stop = true;
}

/* The section, other than `not`, whose table has this name; "" for the root, NULL for none. */
static const struct node *
section_with(const struct node *n, const struct node *not, const char *name)
{
	const struct node *child, *found = n != not ? child_named(n, name) : NULL;

	if (found != NULL && !found->stray)
		return n;
	STAILQ_FOREACH (child, &n->children, link)
		if (!child->stray && (found = section_with(child, not, name)) != NULL)
			return found;
	return NULL;
}

static const struct node *
nearest(const struct node *parent, const char *name)
{
	const struct node *n, *best = NULL;
	unsigned best_distance = 3;

	STAILQ_FOREACH (n, &parent->children, link) {
		bool same = strcasecmp(name, n->name) == 0;
		unsigned d = n->stray ? 3 : same ? 0 : conf_distance(name, n->name);

		if (d < best_distance && d < strlen(name)) {
			best = n;
			best_distance = d;
		}
	}
	return best;
}

static void
complain_unknown(struct conf_parser *ps, const struct node *stray, unsigned line)
{
	const struct node *parent = stray->parent;
	const struct node *near = nearest(parent, stray->name);
	const struct node *home = section_with(ps->root, parent, stray->name);
	const char *what = stray->kind == NODE_VALUE ? "key" : "section";
	char path[CONF_PATH_MAX], hint[CONF_PATH_MAX] = "";

	if (parent->stray)
		return;		/* one complaint about the outermost is enough */
	if (near != NULL)
		snprintf(hint, sizeof(hint), "; did you mean %s?", near->name);
	else if (home != NULL && home->parent == NULL)
		snprintf(hint, sizeof(hint), "; %s stands outside of all sections", stray->name);
	else if (home != NULL)
		snprintf(hint, sizeof(hint), "; the section %s has one", home->name);
	complain(ps, line, "%s: unknown %s%s", path_in(top(ps), stray->name, path), what, hint);
}

/* --- callbacks -------------------------------------------------------------------------------- */

static struct node *
node_of(const cfg_opt_t *opt)
{
	return (struct node *)(intptr_t)opt->def.number;
}

/* Where the section goes in our tree; complains where it stands there already. */
static struct conf *
place_section(struct conf_parser *ps, const struct frame *up, const struct node *n, unsigned line,
    const char *title)
{
	struct conf_slot *slot = &up->section->slots[n->index];
	struct conf *same = NULL, *cf;
	char path[CONF_PATH_MAX];
	const char *wrong = NULL;

	for (size_t i = 0; i < slot->sections_count && same == NULL; i++)
		if (title == NULL || strcmp(slot->sections[i]->title, title) == 0)
			same = slot->sections[i];
	if (same != NULL && title == NULL && same->file != ps->file)
		return same;	/* an included file goes on with it */
	if (conf_slot_section(slot, up->section, title, &cf) != OK) {
		ps->nomem = true;
		return NULL;
	}
	cf->file = ps->file;
	cf->line = line;
	if (!slot->given) {
		slot->given = true;
		slot->file = ps->file;
		slot->line = line;
	}
	if (same != NULL)
		complain_twice(ps, line, conf_path(cf, NULL, path), same->file, same->line);
	else if (title != NULL && *title == '\0')
		complain(ps, line, "%s: the title is empty", conf_path(cf, NULL, path));
	else if (title != NULL && slot->key->check != NULL &&
	    (wrong = slot->key->check(title)) != NULL)
		complain(ps, line, "%s: %s", conf_path(cf, NULL, path), wrong);
	return cf;
}

/* Must not fail: libconfuse aborts the process where a default does not parse. */
static void
on_begin(struct conf_parser *ps, cfg_t *cfg, struct node *n)
{
	unsigned line = (unsigned)cfg->line;
	struct node *child;
	struct frame *fr;

	assert(ps->depth < DEPTH_MAX);
	fr = &ps->frames[ps->depth];
	*fr = (struct frame){ .cfg = cfg, .node = n };
	if (n->parent == NULL) {
		fr->section = ps->tree->root;
	} else if (n->parent != top(ps)->node) {
		complain_path(ps, n, line);
	} else if (n->stray) {
		complain_unknown(ps, n, line);
	} else if (top(ps)->section != NULL && !ps->stop) {
		fr->section = place_section(ps, top(ps), n, line, cfg->title);
		if (++ps->sections > CONF_SECTIONS_MAX) {
			complain(ps, line, "more than %d sections", CONF_SECTIONS_MAX);
			ps->stop = true;
		}
	}
	ps->depth++;
	STAILQ_FOREACH (child, &n->children, link)
		child->primed = false;
}

/* An empty list has no values that would have been called back; so has a stray's. */
static void
find_empty_lists(struct conf_parser *ps, const struct frame *fr)
{
	char path[CONF_PATH_MAX];

	for (const cfg_opt_t *opt = fr->cfg->opts; opt->name != NULL; opt++) {
		const struct node *n = node_of(opt);

		if (opt->type != CFGT_STR || !(opt->flags & CFGF_LIST) || opt->nvalues != 0)
			continue;
		if (n->stray && (opt->flags & CFGF_MODIFIED))
			complain_unknown(ps, n, (unsigned)fr->cfg->line);
		if (n->stray || n->key == &include_key || fr->section == NULL)
			continue;

		struct conf_slot *slot = &fr->section->slots[n->index];

		if (slot->given)
			complain_twice(ps, (unsigned)fr->cfg->line,
			    conf_path(fr->section, n->name, path), slot->file, slot->line);
		slot->given = true;
		slot->file = ps->file;
		slot->line = fr->section->line != 0 ? fr->section->line : 1;
	}
}

static int
on_end(cfg_t *cfg, cfg_opt_t *opt)
{
	struct conf_parser *ps = node_of(opt)->parser;

	(void)cfg;
	find_empty_lists(ps, top(ps));
	ps->depth--;
	return ps->stop || ps->nomem;
}

static void
add_include(struct conf_parser *ps, unsigned line, const char *text)
{
	if (ps->tree->names_count > 1) {
		complain(ps, line, "include: works in the main file only");
		return;
	}

	char **grown = realloc(ps->includes, (ps->includes_count + 1) * sizeof(*grown));

	if (grown == NULL || (grown[ps->includes_count] = strdup(text)) == NULL)
		ps->nomem = true;
	else
		ps->includes_count++;
	if (grown != NULL)
		ps->includes = grown;
}

static void
add_value(struct conf_parser *ps, struct conf *cf, struct conf_slot *slot, unsigned line,
    const char *text)
{
	struct conf_value *v = conf_slot_value(slot, text);
	char path[CONF_PATH_MAX], why[CONF_WHY_MAX];

	if (v == NULL) {
		ps->nomem = true;
		return;
	}
	v->file = ps->file;
	v->line = line;

	enum err e = conf_value_parse(v, slot->key, why);

	if (e != OK)
		conf_find(ps->findings, e, ps->file, line, "%s: %s",
		    conf_path(cf, slot->key->name, path), why);
}

/* nth counts the values that libconfuse has; its stand-in for our default counts too after +=. */
static void
set_value(struct conf_parser *ps, struct conf *cf, struct conf_slot *slot, unsigned nth,
    unsigned line, const char *text)
{
	char path[CONF_PATH_MAX];

	if (slot->given && nth == 1) {
		conf_path(cf, slot->key->name, path);
		complain_twice(ps, line, path, slot->file, slot->line);
	} else if (!slot->given) {
		if (nth > 1 && conf_slot_default(cf, slot, ps->findings) != OK)
			ps->nomem = true;
		slot->given = true;
		slot->file = ps->file;
		slot->line = line;
	}
	add_value(ps, cf, slot, line, text);
}

static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct node *n = node_of(opt);
	struct conf_parser *ps = n->parser;
	unsigned line = (unsigned)cfg->line;

	*(const char **)result = "";	/* libconfuse keeps no copy of the value */
	if (strcmp(opt->name, HIDDEN_NAME) == 0) {
		on_begin(ps, cfg, n);
		return 0;
	}

	struct frame *fr = top(ps);

	if (has_stand_in(n) && !n->primed) {
		n->primed = true;
		return 0;
	}
	if (n->parent != fr->node) {
		complain_path(ps, n, line);
	} else if (n->stray) {
		if (opt->nvalues == 1)
			complain_unknown(ps, n, line);
	} else if (n->key == &include_key) {
		add_include(ps, line, value);
	} else if (fr->section != NULL) {
		struct conf_slot *slot = &fr->section->slots[n->index];

		set_value(ps, fr->section, slot, opt->nvalues, line, value);
	}
	return ps->stop || ps->nomem;
}

/* --- what libconfuse complains about ---------------------------------------------------------- */

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Add a name to the schema and ask for another round; false where that would lead nowhere. */
static bool
learn(struct conf_parser *ps, struct node *parent, const char *name)
{
	if (ps->strays >= STRAYS_MAX || ps->depth >= DEPTH_MAX - 1)
		return false;
	if (*name == '\0' || child_named(parent, name) != NULL)
		return false;

	char *copy = strdup(name);
	struct node *n = copy != NULL ? add_node(parent, copy, NODE_VALUE, NULL) : NULL;

	if (n == NULL) {
		free(copy);
		ps->nomem = true;
		return true;
	}
	n->owned_name = copy;
	n->stray = true;
	ps->strays++;
	ps->again = true;
	return true;
}

/* What was taken for a value turns out to be a section; what for a section, to have a title. */
static bool
relearn(struct conf_parser *ps, const struct node *parent, const char *name, enum node_kind from,
    enum node_kind to)
{
	struct node *n = child_named(parent, name);

	if (n == NULL || !n->stray || n->kind != from)
		return false;
	n->kind = to;
	ps->again = true;
	return true;
}

/* The key whose value is being read: it was marked by its = and has none yet. */
static const struct node *
key_in_work(const cfg_t *cfg)
{
	const cfg_flag_t marks = CFGF_RESET | CFGF_MODIFIED;

	for (const cfg_opt_t *opt = cfg->opts; opt->name != NULL; opt++)
		if (opt->type == CFGT_STR && (opt->flags & marks) == marks)
			return node_of(opt);
	return NULL;
}

/* A name that is not followed by what its kind needs. False where fmt is not about that. */
static bool
complain_missing(struct conf_parser *ps, const struct node *in, const char *fmt, const char *name,
    unsigned line)
{
	const struct node *n = child_named(in, name);
	char quoted[256], path[CONF_PATH_MAX];
	size_t len = strlen(name);

	if (!begins(fmt, "missing "))
		return false;
	log_quote(span_of(name, len), quoted, sizeof(quoted));
	path_in(top(ps), name, path);
	if (n != NULL && !n->stray && begins(fmt, "missing title"))
		complain(ps, line, "%s: a title is expected here: %s \"title\" { … }", path, name);
	else if (n != NULL && !n->stray && begins(fmt, "missing opening"))
		complain(ps, line, "%s: { is expected behind the name of a section", path);
	else if (n != NULL && !n->stray)
		complain(ps, line, "%s: = is expected behind the name of a setting", path);
	else if (name[0] == '[')
		complain(ps, line, "%s: sections are written as in dns { … }", quoted);
	else if (len != 0 && name[len - 1] == ':')
		complain(ps, line, "%s: settings are written with = and without :", quoted);
	else
		complain(ps, line, "%s is not understood here; values with blanks or several words "
		    "stand in quotes, and one setting is written name = value", quoted);
	return true;
}

static void
complain_syntax(struct conf_parser *ps, const cfg_t *cfg, const char *fmt, const char *words)
{
	static const char list[] = "one value, or several as in { \"a\", \"b\" }, are";
	struct frame *fr = top(ps);
	const struct node *n = key_in_work(cfg);
	char quoted[256], path[CONF_PATH_MAX];
	unsigned line = (unsigned)cfg->line;

	if (begins(fmt, "premature end"))
		complain(ps, line, "the file ends in the middle of a setting");
	else if (begins(fmt, "unexpected closing brace"))
		complain(ps, line, "a } without the { that it closes");
	else if (begins(fmt, "unexpected token") && n != NULL)
		complain(ps, line, "%s: %s expected here", path_in(fr, n->name, path),
		    n->key != NULL && (n->key->flags & CONF_LIST) ? list : "one value is");
	else
		complain(ps, line, "this cannot be understood: %s%s",
		    log_quote(span_str(words), quoted, sizeof(quoted)), strstr(words, "','") != NULL
		    ? "; several values stand in braces, { \"a\", \"b\" }"
		    : begins(fmt, "unexpected token")
		    ? "; values in braces stand with a comma between them" : "");
}

static void __attribute__((format(printf, 2, 0)))
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct node *n = node_of(cfg->opts);
	struct conf_parser *ps = n->parser;
	char words[CONF_WHY_MAX];
	const char *name = "";
	va_list copy;

	va_copy(copy, ap);
	if (begins(fmt, "no such option") || begins(fmt, "missing "))
		name = va_arg(copy, const char *);
	va_end(copy);
	if (begins(fmt, "no such option") && learn(ps, n, name))
		return;
	if (begins(fmt, "missing equal sign") && relearn(ps, n, name, NODE_VALUE, NODE_SECTION))
		return;
	if (begins(fmt, "missing opening brace") && relearn(ps, n, name, NODE_SECTION, NODE_TITLED))
		return;
	if (complain_missing(ps, n, fmt, name, (unsigned)cfg->line))
		return;
	vsnprintf(words, sizeof(words), fmt, ap);
	complain_syntax(ps, cfg, fmt, words);
}

/* --- libconfuse's tables ---------------------------------------------------------------------- */

static void
free_opts(cfg_opt_t *opts)
{
	if (opts == NULL)
		return;
	for (cfg_opt_t *o = opts; o->name != NULL; o++)
		free_opts(o->subopts);
	free(opts);
}

static cfg_opt_t *
make_opts(const struct node *section)
{
	static char stand_in[] = "{x}";
	size_t count = 2;
	const struct node *n;

	STAILQ_FOREACH (n, &section->children, link)
		count++;

	cfg_opt_t *opts = calloc(count, sizeof(*opts)), *o = opts;

	if (opts == NULL)
		return NULL;
	*o++ = (cfg_opt_t){ .name = HIDDEN_NAME, .type = CFGT_STR, .flags = CFGF_LIST,
		.parsecb = on_value,
		.def = { .number = (long)(intptr_t)section, .parsed = stand_in } };
	STAILQ_FOREACH (n, &section->children, link) {
		bool list = n->key == NULL || (n->key->flags & CONF_LIST);

		*o = (cfg_opt_t){ .name = n->name, .def = { .number = (long)(intptr_t)n } };
		if (n->kind == NODE_VALUE) {
			o->type = CFGT_STR;
			o->flags = list ? CFGF_LIST : CFGF_NODEFAULT;
			o->parsecb = on_value;
			o->def.parsed = has_stand_in(n) ? stand_in : NULL;
		} else {
			o->type = CFGT_SEC;
			o->flags = n->kind == NODE_TITLED ? CFGF_MULTI | CFGF_TITLE : CFGF_MULTI;
			o->validcb = on_end;
			o->subopts = make_opts(n);
		}
		o++;
		if (n->kind != NODE_VALUE && o[-1].subopts == NULL) {
			free_opts(opts);
			return NULL;
		}
	}
	return opts;
}

/* --- files ------------------------------------------------------------------------------------ */

static void
parse_text(struct conf_parser *ps, const char *text)
{
	cfg_opt_t *opts = make_opts(ps->root);
	unsigned before = ps->findings->count;

	ps->depth = 0;

	cfg_t *cfg = opts != NULL ? cfg_init(opts, CFGF_NONE) : NULL;

	free_opts(opts);
	if (cfg == NULL) {
		ps->nomem = true;
		return;
	}
	cfg_set_error_function(cfg, on_error);
	if (cfg_parse_buf(cfg, text) == CFG_SUCCESS)
		find_empty_lists(ps, top(ps));
	else if (ps->findings->count == before && !ps->again && !ps->nomem)
		complain(ps, (unsigned)top(ps)->cfg->line, "this cannot be understood");
	cfg_free(cfg);
}

/* Read one file into the tree. Errors: ERR_SYS, ERR_NOMEM. */
static enum err
parse_file(struct conf_parser *ps, const char *path)
{
	struct conf_file *tree = ps->tree;
	char *text;

	if (tree->names_count == CONF_FILES_MAX) {
		conf_find(ps->findings, ERR_RANGE, path, 0, "more than %d files", CONF_FILES_MAX);
		return OK;
	}

	char *name = strdup(path);

	if (name == NULL)
		return ERR_NOMEM;
	tree->names[tree->names_count++] = name;
	ps->file = name;

	enum err e = conf_text_load(&text, path, ps->findings);

	if (e != OK || text == NULL)
		return e;
	parse_text(ps, text);
	free(text);
	return ps->nomem ? ERR_NOMEM : OK;
}

/* The pattern, relative to the folder of the main file. NULL where there is no memory. */
static char *
beside(const char *main_path, const char *pattern)
{
	const char *slash = strrchr(main_path, '/');
	int dir = slash != NULL && *pattern != '/' ? (int)(slash + 1 - main_path) : 0;
	char *full;

	return asprintf(&full, "%.*s%s", dir, main_path, pattern) >= 0 ? full : NULL;
}

static enum err
parse_included(struct conf_parser *ps, const char *main_path, const char *pattern)
{
	char *full = beside(main_path, pattern);
	glob_t found = { 0 };
	enum err e = OK;

	if (full == NULL)
		return ERR_NOMEM;
	/* A pattern may match nothing; a plain name is taken as it is and must be there. */
	if (glob(full, GLOB_NOMAGIC, NULL, &found) == GLOB_NOSPACE)
		e = ERR_NOMEM;
	for (size_t i = 0; i < found.gl_pathc && e == OK; i++) {
		e = parse_file(ps, found.gl_pathv[i]);
		if (e == ERR_SYS) {
			conf_find(ps->findings, ERR_FORMAT, found.gl_pathv[i], 0,
			    "included by %s, cannot be read: %s", main_path, strerror(errno));
			e = OK;
		}
	}
	globfree(&found);
	free(full);
	return e;
}

static void
forget_includes(struct conf_parser *ps)
{
	for (size_t i = 0; i < ps->includes_count; i++)
		free(ps->includes[i]);
	free(ps->includes);
	ps->includes = NULL;
	ps->includes_count = 0;
}

/* One reading of everything, from nothing. */
static enum err
parse_round(struct conf_parser *ps, const char *path, const struct conf_key *keys)
{
	ps->again = ps->stop = ps->nomem = false;
	ps->sections = 0;
	forget_includes(ps);
	conf_file_free(ps->tree);
	ps->tree = calloc(1, sizeof(*ps->tree));
	if (ps->tree == NULL)
		return ERR_NOMEM;
	ps->tree->root = conf_new(NULL, keys, "", NULL);
	if (ps->tree->root == NULL)
		return ERR_NOMEM;
	if (path == NULL)
		return OK;

	enum err e = parse_file(ps, path);

	for (size_t i = 0; i < ps->includes_count && e == OK && !ps->stop; i++)
		e = parse_included(ps, path, ps->includes[i]);
	return e;
}

enum err
conf_parse(struct conf_file **out, const char *path, const struct conf_key *keys,
    struct conf_findings *f)
{
	struct conf_parser ps = { .findings = f };
	enum err e = ERR_NOMEM;

	ps.root = add_node(NULL, "", NODE_SECTION, NULL);
	if (ps.root != NULL) {
		ps.root->parser = &ps;
		if (add_node(ps.root, include_key.name, NODE_VALUE, &include_key) != NULL &&
		    add_table(ps.root, keys))
			e = OK;
	}
	do {
		conf_findings_init(f, f->buf, f->cap);
		if (e == OK)
			e = parse_round(&ps, path, keys);
	} while (e == OK && ps.again);

	int saved = errno;

	forget_includes(&ps);
	free_node(ps.root);
	*out = ps.tree;
	errno = saved;
	return e;
}
