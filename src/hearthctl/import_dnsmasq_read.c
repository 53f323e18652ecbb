/* SPDX-License-Identifier: MIT */
/* The lines of all files in the order in which dnsmasq reads them, included ones in their place. */
#include "hearthctl/import_dnsmasq_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define DEPTH_MAX 8	/* files that include files */
#define FILES_MAX 4096
#define ENDINGS_MAX 32	/* of one conf-dir */

struct reader {
	struct import_conf *conf;
	const struct import_files *files;
	struct import_all *all;
	struct import_counts *counts;
	unsigned depth;
	size_t files_read;
	const char *names[FILES_MAX];	/* of the files read: dnsmasq reads each once, too */
};

static bool read_file(struct reader *rd, const char *path);

static void
keep_line(struct reader *rd, const char *where, const struct import_line *line)
{
	struct import_said *said = import_keep_bytes(rd->conf, sizeof(*said));

	if (said == NULL)
		return;
	said->where = where;
	said->option = import_keep(rd->conf, "%s", line->option);
	said->value = import_keep_bytes(rd->conf, strlen(line->value) + 1);
	if (said->value == NULL)
		return;
	strcpy(said->value, line->value);
	STAILQ_INSERT_TAIL(rd->all, said, link);
}

static bool
was_read(const struct reader *rd, const char *path)
{
	for (size_t i = 0; i < rd->files_read; i++)
		if (strcmp(rd->names[i], path) == 0)
			return true;
	return false;
}

static void
follow_file(struct reader *rd, const char *where, const char *path)
{
	if (was_read(rd, path))
		return;
	if (rd->depth == DEPTH_MAX || rd->files_read == FILES_MAX)
		import_remark(rd->conf, IMPORT_LOST, where, "Too many files that include files.");
	else if (read_file(rd, path))
		import_remark(rd->conf, IMPORT_ALWAYS, where,
		    "Followed: what the file says is part of this one.");
	else
		import_remark(rd->conf, IMPORT_LOST, where, import_keep(rd->conf,
		    "The file cannot be read here, so what it says is missing: %s.",
		    strerror(errno)));
}

/* The endings of a conf-dir: "*.conf" takes only such files, ".bak" leaves such out. */
struct endings {
	const char *at[ENDINGS_MAX];
	size_t count;
};

static bool
ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len >= n && strcmp(name + len - n, ending) == 0;
}

static bool
is_wanted(const char *name, const struct endings *endings)
{
	size_t len = strlen(name);
	bool picky = false, picked = false;

	if (len == 0 || name[0] == '.' || name[len - 1] == '~' ||
	    (name[0] == '#' && name[len - 1] == '#'))
		return false;
	for (size_t i = 0; i < endings->count; i++) {
		const char *e = endings->at[i];

		if (*e == '*') {
			picky = true;
			picked |= ends_with(name, e + 1);
		} else if (*e != '\0' && ends_with(name, e)) {
			return false;
		}
	}
	return !picky || picked;
}

static void
follow_dir(struct reader *rd, const char *where, char *value)
{
	struct endings endings = { .count = 0 };
	char *rest = value;
	const char *dir = import_plain(import_field(&rest, ','));
	char *e;

	while ((e = import_field(&rest, ',')) != NULL && endings.count < ENDINGS_MAX)
		endings.at[endings.count++] = import_plain(e);

	char *names = rd->files->list(rd->files->ctx, dir);

	if (names == NULL) {
		import_remark(rd->conf, IMPORT_LOST, where, import_keep(rd->conf,
		    "The folder cannot be read here, so what its files say is missing: %s.",
		    strerror(errno)));
		return;
	}
	for (const char *name = names; *name != '\0'; name += strlen(name) + 1)
		if (is_wanted(name, &endings))
			follow_file(rd, where, import_keep(rd->conf, "%s/%s", dir, name));
	free(names);
}

/* Say of a line of a file why it cannot be taken apart. */
static void
complain_line(struct reader *rd, const char *where, enum err e)
{
	import_remark(rd->conf, IMPORT_LOST, where, e == ERR_RANGE
		? "The line is too long."
		: "The line holds control characters or a quote that is not closed.");
}

/* dhcp-hostsfile holds what stands behind "dhcp-host=" elsewhere. */
static void
follow_hosts(struct reader *rd, const char *where, const char *path)
{
	static const char option[] = "dhcp-host=";
	size_t len;
	char *text = rd->files->read(rd->files->ctx, path, &len);
	struct span rest = span_of(text, text != NULL ? len : 0), line;

	if (text == NULL) {
		import_remark(rd->conf, IMPORT_LOST, where, import_keep(rd->conf,
		    "The file cannot be read here, so what it says is missing: %s.",
		    strerror(errno)));
		return;
	}
	for (unsigned n = 1; text_next_line(&rest, &line); n++) {
		struct import_line said;
		char whole[IMPORT_LINE_MAX];

		line = text_trim(line);
		if (line.len == 0 || line.at[0] == '#' || line.len + sizeof(option) > sizeof(whole))
			continue;
		memcpy(whole, option, sizeof(option) - 1);
		memcpy(whole + sizeof(option) - 1, line.at, line.len);

		enum err e = import_line_read(&said, span_of(whole, sizeof(option) - 1 + line.len));
		const char *at = import_keep(rd->conf, "%s:%u: %s", path, n,
		    said.shown + (e == OK ? sizeof(option) - 1 : 0));

		rd->counts->lines++;
		if (e == OK)
			keep_line(rd, at, &said);
		else
			complain_line(rd, at, e);
	}
	free(text);
}

/* Follow a line that leads to other files; false where it is another. */
static bool
follow_line(struct reader *rd, const char *where, struct import_line *line)
{
	if (strcmp(line->option, "conf-file") == 0 || strcmp(line->option, "servers-file") == 0)
		follow_file(rd, where, import_plain(line->value));
	else if (strcmp(line->option, "conf-dir") == 0)
		follow_dir(rd, where, line->value);
	else if (strcmp(line->option, "dhcp-hostsfile") == 0)
		follow_hosts(rd, where, import_plain(line->value));
	else
		return false;
	return true;
}

/* Read a file; false with errno where it cannot be read. */
static bool
read_file(struct reader *rd, const char *path)
{
	size_t len;
	char *text = rd->files->read(rd->files->ctx, path, &len);
	struct span rest, line;
	struct import_line *said = malloc(sizeof(*said));

	if (text == NULL || said == NULL) {
		free(text);
		free(said);
		return false;
	}
	rd->depth++;
	if (rd->files_read < FILES_MAX)
		rd->names[rd->files_read++] = import_keep(rd->conf, "%s", path);
	rest = text_after_mark(span_of(text, len));
	for (unsigned n = 1; text_next_line(&rest, &line); n++) {
		enum err e = import_line_read(said, line);
		const char *where = import_keep(rd->conf, "%s:%u: %s", path, n, said->shown);

		rd->counts->lines += e != OK || said->option[0] != '\0';
		if (e != OK)
			complain_line(rd, where, e);
		else if (said->option[0] != '\0' && follow_line(rd, where, said))
			rd->counts->known++;
		else if (said->option[0] != '\0')
			keep_line(rd, where, said);
	}
	rd->depth--;
	free(said);
	free(text);
	return true;
}

enum err
import_read_all(struct import_conf *conf, const struct import_files *files, char *const *paths,
    size_t count, struct import_all *all, struct import_counts *counts, size_t *bad)
{
	struct reader *rd = calloc(1, sizeof(*rd));
	enum err e = OK;

	if (rd == NULL)
		return ERR_NOMEM;
	*rd = (struct reader){ .conf = conf, .files = files, .all = all,
		.counts = counts };
	for (size_t i = 0; e == OK && i < count; i++) {
		*bad = i;
		e = read_file(rd, paths[i]) ? OK : ERR_SYS;
	}

	int cause = errno;

	free(rd);
	errno = cause;
	return e;
}
