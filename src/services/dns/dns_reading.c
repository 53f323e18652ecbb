/* SPDX-License-Identifier: MIT */
/*
 * Reading hosts files and lease files. A file that is gone has no names any more; one that is there
 * and cannot be read keeps those it had, as a mistake in its permissions is no reason to forget
 * half of the house.
 *
 * Kea rewrites its file now and then (LFC): it moves the one in use to FILE.1, cleans up FILE.1 and
 * FILE.2 into FILE.completed, and makes that the new FILE.2. So all of them count, the main one
 * most. They are read from the youngest to the oldest: whatever Kea does meanwhile, a lease is then
 * in one of those that were read.
 */
#include "services/dns/dns_reading.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/dns/dns_hosts.h"
#include "util/file.h"
#include "util/text.h"

#define PATH_BYTES  4096
#define READ_SLACK  4096	/* a file may grow while it is read */
#define FRESH_S	    2		/* a file this young may change without its times showing it */
#define KEA_PARTS   3

/* Behind the name of Kea's file, the oldest first. */
static const char *const kea_suffixes[KEA_PARTS] = { ".2", ".completed", ".1" };

/* --- the list of files ------------------------------------------------------------------------ */

static void
file_fini(struct dns_source_file *f)
{
	free(f->path);
	free(f->text);
}

void
dns_reading_fini(struct dns_reading *r)
{
	for (size_t i = 0; i < r->file_count; i++)
		file_fini(&r->files[i]);
	free(r->files);
	dns_local_free(r->set);
	*r = (struct dns_reading){ 0 };
}

const struct dns_source_file *
dns_reading_file(const struct dns_reading *r, const char *path, enum dns_source_kind kind)
{
	for (size_t i = 0; r != NULL && i < r->file_count; i++)
		if (r->files[i].kind == kind && strcmp(r->files[i].path, path) == 0)
			return &r->files[i];
	return NULL;
}

/* NULL: no memory, which the reading then remembers. */
static struct dns_source_file *
add_file(struct dns_reading *r, enum dns_source_kind kind, const char *path, const char *root)
{
	char *copy = strdup(path);

	if (copy == NULL) {
		r->err = ERR_NOMEM;
		return NULL;
	}
	if (r->file_count == r->file_cap) {
		size_t cap = r->file_cap != 0 ? r->file_cap * 2 : 8;
		struct dns_source_file *files = realloc(r->files, cap * sizeof(*files));

		if (files == NULL) {
			free(copy);
			r->err = ERR_NOMEM;
			return NULL;
		}
		r->files = files;
		r->file_cap = cap;
	}
	r->files[r->file_count] = (struct dns_source_file){ .kind = kind, .path = copy,
		.root = root };
	return &r->files[r->file_count++];
}

/* Not what editors and package managers leave behind, and nothing hidden. */
static int
is_wanted(const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t len = strlen(name);

	return name[0] != '.' && name[0] != '#' && name[len - 1] != '~' &&
	    strstr(name, ".dpkg-") == NULL;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A directory that cannot be listed: the files that it had stay, and are looked at one by one. */
static void
add_known_files(struct dns_reading *r, const struct dns_reading *last,
    enum dns_source_kind kind, const char *root)
{
	for (size_t i = 0; last != NULL && i < last->file_count; i++) {
		const struct dns_source_file *f = &last->files[i];

		if (f->kind == kind && strcmp(f->root, root) == 0 && strcmp(f->path, root) != 0)
			(void)add_file(r, kind, f->path, root);
	}
}

static void
add_directory(struct dns_reading *r, const struct dns_reading *last, enum dns_source_kind kind,
    const char *root)
{
	struct dirent **entries;
	char path[PATH_BYTES];
	int n = scandir(root, &entries, is_wanted, by_name);

	if (n < 0) {
		int cause = errno;
		struct dns_source_file *f = add_file(r, kind, root, root);

		if (f != NULL) {
			f->unlisted = true;
			f->err = ERR_SYS;
			f->sys = cause;
		}
		add_known_files(r, last, kind, root);
		return;
	}
	for (int i = 0; i < n; i++) {
		int len = snprintf(path, sizeof(path), "%s/%s", root, entries[i]->d_name);

		if (i < DNS_SOURCE_FILES_MAX && len > 0 && (size_t)len < sizeof(path))
			(void)add_file(r, kind, path, root);
		else
			r->files_dropped++;
		free(entries[i]);
	}
	free(entries);
}

static void
list_files(struct dns_reading *r, const struct dns_reading *last, enum dns_source_kind kind)
{
	const char *const *paths;
	size_t n = kind == DNS_SOURCE_HOSTS ? dns_plan_hosts(r->plan, &paths)
					    : dns_plan_leases(r->plan, &paths);

	for (size_t i = 0; i < n; i++) {
		struct stat st;

		if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode))
			add_directory(r, last, kind, paths[i]);
		else
			(void)add_file(r, kind, paths[i], paths[i]);
	}
}

/* --- one file --------------------------------------------------------------------------------- */

/* The text of a file; at is NULL where there is none. */
struct bytes {
	uint8_t *at;
	size_t len;
};

static void
fail(struct dns_source_file *f, enum err e)
{
	f->err = e;
	f->sys = e == ERR_SYS ? errno : 0;
	if (e == ERR_SYS && (errno == ENOENT || errno == ENOTDIR))
		f->err = ERR_NOTFOUND;
}

static struct dns_file_mark
mark_of(const struct stat *st)
{
	return (struct dns_file_mark){ .dev = st->st_dev, .ino = st->st_ino, .size = st->st_size,
		.modified = st->st_mtim, .changed = st->st_ctim };
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
same_mark(const struct dns_file_mark *a, const struct dns_file_mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

/* Open for reading and note what it is. -1 where it cannot be read; a pipe does not hold us up. */
static int
open_file(struct dns_source_file *f, int64_t wall_s)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) != 0) {
		fail(f, ERR_SYS);
		if (fd != -1)
			close(fd);
		return -1;
	}
	f->err = OK;
	f->mark = mark_of(&st);
	f->fresh = st.st_mtim.tv_sec >= wall_s - FRESH_S || st.st_ctim.tv_sec >= wall_s - FRESH_S;
	if (S_ISREG(st.st_mode) && st.st_size <= DNS_SOURCE_FILE_MAX)
		return fd;
	fail(f, S_ISREG(st.st_mode) ? ERR_RANGE : ERR_FORMAT);
	close(fd);
	return -1;
}

/* Read to the end. What grows faster than it can be read will be read again: it has changed. */
static enum err
read_text(struct bytes *b, int fd, size_t size)
{
	enum err e = ERR_RANGE;

	for (size_t cap = size + READ_SLACK; e == ERR_RANGE; cap *= 2) {
		if (cap > 2 * (size_t)DNS_SOURCE_FILE_MAX)
			return ERR_RANGE;

		uint8_t *at = realloc(b->at, cap);

		if (at == NULL)
			return ERR_NOMEM;
		b->at = at;
		if (lseek(fd, 0, SEEK_SET) != 0)
			return ERR_SYS;
		e = file_read_all(fd, b->at, cap, &b->len);
	}
	return e;
}

/* Give the whole text of a file; on an error f says which. */
static struct bytes
read_file(struct dns_source_file *f, int64_t wall_s)
{
	struct bytes b = { 0 };
	int fd = open_file(f, wall_s);
	enum err e;

	if (fd == -1)
		return b;
	e = read_text(&b, fd, (size_t)f->mark.size);
	if (e != OK) {
		fail(f, e);
		free(b.at);
		b = (struct bytes){ 0 };
	}
	close(fd);
	return b;
}

/* --- has anything changed? -------------------------------------------------------------------- */

/* A file is as the last reading found it: the same and not written since, or still not there. */
static bool
is_unchanged(struct dns_source_file *f, const struct dns_reading *last, int64_t wall_s)
{
	const struct dns_source_file *before = dns_reading_file(last, f->path, f->kind);
	int fd;

	if (before == NULL || before->unlisted != f->unlisted)
		return false;
	if (f->unlisted)
		return f->sys == before->sys;
	fd = open_file(f, wall_s);
	if (fd != -1)
		close(fd);
	if (f->err != OK)
		return f->err == before->err && f->sys == before->sys;
	return before->err == OK && !before->fresh && same_mark(&f->mark, &before->mark);
}

static bool
nothing_changed(struct dns_reading *r, const struct dns_reading *last, int64_t wall_s)
{
	if (last == NULL || r->file_count != last->file_count)
		return false;
	for (size_t i = 0; i < r->file_count; i++)
		if (!is_unchanged(&r->files[i], last, wall_s))
			return false;
	return true;
}

/* --- hosts files ------------------------------------------------------------------------------ */

static void
note_complaint(struct dns_source_file *f, unsigned line, const char *why, struct span text)
{
	f->bad++;
	if (f->bad_line != 0)
		return;
	f->bad_line = line;
	snprintf(f->complaint, sizeof(f->complaint), "%s: \"%.*s\"", why,
	    (int)(text.len < 80 ? text.len : 80), (const char *)text.at);
}

static void
add_hosts(struct dns_reading *r, struct dns_source_file *f, struct span text)
{
	struct dns_local_origin from = { .source = f->source };
	enum dns_hosts_found found;
	struct dns_hosts h;

	dns_hosts_begin(&h, text);
	while ((found = dns_hosts_next(&h)) != DNS_HOSTS_END) {
		if (found == DNS_HOSTS_BAD) {
			note_complaint(f, h.line, h.why, h.text);
			continue;
		}
		if (f->names == DNS_SOURCE_NAMES_MAX) {
			f->dropped++;
			continue;
		}
		f->names++;
		from.line = h.line;
		dns_local_add_host(r->set, dns_name_span(&h.name), span_of(h.addr, h.addr_len),
		    h.canonical, from);
	}
}

/* What a file said before it became unreadable, if it ever said anything. */
static const struct dns_source_file *
earlier(const struct dns_source_file *f, const struct dns_reading *last)
{
	const struct dns_source_file *before = dns_reading_file(last, f->path, f->kind);
	bool had = before != NULL && (before->err == OK || before->kept);

	return f->err != OK && f->err != ERR_NOTFOUND && had ? before : NULL;
}

static uint16_t
name_source(struct dns_reading *r, const char *what, const char *path, const char *suffix)
{
	char text[PATH_BYTES + 32];

	snprintf(text, sizeof(text), "%s %s%s", what, path, suffix);
	return dns_local_source(r->set, text);
}

static void
read_hosts(struct dns_reading *r, struct dns_source_file *f, const struct dns_reading *last)
{
	struct bytes b = read_file(f, r->wall_s);
	const struct dns_source_file *before = earlier(f, last);

	f->source = name_source(r, "hosts file", f->path, "");
	if (b.at != NULL) {
		add_hosts(r, f, span_of(b.at, b.len));
	} else if (before != NULL) {
		dns_local_add_hosts_of(r->set, last->set, before->source, f->source);
		f->kept = true;
		f->names = before->names;
	}
	free(b.at);
}

/* --- lease files ------------------------------------------------------------------------------ */

/* Parse a text and note what came of it. */
static void
add_leases(struct dns_reading *r, struct dns_source_file *f, struct dns_leases *ls,
    struct span text, uint16_t source)
{
	uint64_t bad = ls->bad;
	size_t count = ls->count;
	enum err e = dns_lease_parse(ls, text, source);

	if (e == ERR_NOMEM)
		r->err = e;
	f->names += ls->count - count;
	if (ls->bad != bad && f->bad_line == 0) {
		f->bad_line = ls->bad_line;
		snprintf(f->complaint, sizeof(f->complaint), "not as %s writes it",
		    dns_lease_format_name(f->format));
	}
	f->bad += ls->bad - bad;
}

/* Read what Kea has moved aside, the oldest first into `part`. */
static void
read_kea_parts(const struct dns_source_file *f, struct bytes part[static KEA_PARTS],
    int64_t wall_s)
{
	for (size_t i = KEA_PARTS; i-- > 0;) {
		char path[PATH_BYTES];
		struct dns_source_file aside = { .path = path };
		int len = snprintf(path, sizeof(path), "%s%s", f->path, kea_suffixes[i]);

		part[i] = (struct bytes){ 0 };
		if (len > 0 && (size_t)len < sizeof(path))
			part[i] = read_file(&aside, wall_s);
		/* Only what Kea wrote: others may use such names, too. */
		if (part[i].at != NULL && dns_lease_recognise(span_of(part[i].at, part[i].len)) !=
		    DNS_LEASE_KEA) {
			free(part[i].at);
			part[i] = (struct bytes){ 0 };
		}
	}
}

static void
parse_leases(struct dns_reading *r, struct dns_source_file *f, struct dns_leases *ls)
{
	struct span text = span_of(f->text, f->len);
	struct bytes part[KEA_PARTS] = { { 0 } };

	if (f->format == DNS_LEASE_KEA)
		read_kea_parts(f, part, r->wall_s);
	/* The sources are numbered in the order in which they replace each other. */
	for (size_t i = 0; i < KEA_PARTS; i++) {
		if (part[i].at != NULL)
			add_leases(r, f, ls, span_of(part[i].at, part[i].len),
			    name_source(r, "lease file", f->path, kea_suffixes[i]));
		free(part[i].at);
	}
	f->source = name_source(r, "lease file", f->path, "");
	add_leases(r, f, ls, text, f->source);
}

/* The text of a file, or what it said before it became unreadable. */
static void
read_leases(struct dns_reading *r, struct dns_source_file *f, const struct dns_reading *last,
    struct dns_leases *ls)
{
	struct bytes b = read_file(f, r->wall_s);
	const struct dns_source_file *before;

	f->format = dns_lease_recognise(span_of(b.at, b.len));
	if (b.at != NULL && f->format == DNS_LEASE_UNKNOWN) {
		fail(f, ERR_UNSUPPORTED);
		free(b.at);
		b = (struct bytes){ 0 };
	}
	before = earlier(f, last);
	if (before != NULL && before->text != NULL) {
		b = (struct bytes){ .at = malloc(before->len + 1), .len = before->len };
		f->kept = b.at != NULL;
		f->format = before->format;
		if (f->kept)
			memcpy(b.at, before->text, before->len);
	}
	if (b.at == NULL)
		return;
	f->text = (char *)b.at;
	f->len = b.len;
	parse_leases(r, f, ls);
}

static void
take_leases(struct dns_reading *r, const struct dns_reading *last)
{
	struct dns_leases ls = { 0 };

	for (size_t i = 0; i < r->file_count && r->err == OK; i++)
		if (r->files[i].kind == DNS_SOURCE_LEASES && !r->files[i].unlisted)
			read_leases(r, &r->files[i], last, &ls);
	r->next_expiry = dns_lease_settle(&ls, r->wall_s);
	r->lease_count = ls.count;
	r->leases_dropped = ls.dropped;
	for (size_t i = 0; i < ls.count; i++) {
		const struct dns_lease *l = &ls.v[i];
		struct dns_local_origin from = { .source = l->source, .line = l->line };

		dns_local_add_lease(r->set, dns_lease_name(&ls, l), span_of(l->addr, l->addr_len),
		    from);
	}
	dns_leases_fini(&ls);
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum err
build(struct dns_reading *r, const struct dns_reading *last,
    const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	enum err e = dns_plan_begin(r->plan, &r->set, key);

	if (e != OK)
		return e;
	for (size_t i = 0; i < r->file_count; i++)
		if (r->files[i].kind == DNS_SOURCE_HOSTS && !r->files[i].unlisted)
			read_hosts(r, &r->files[i], last);
	take_leases(r, last);
	return r->err != OK ? r->err : dns_local_finish(r->set);
}

void
dns_reading_make(struct dns_reading *out, struct dns_plan *plan, const struct dns_reading *last,
    bool force, int64_t wall_s, const uint8_t key[static SEAL_SHORT_KEY_BYTES])
{
	*out = (struct dns_reading){ .plan = plan, .wall_s = wall_s };
	list_files(out, last, DNS_SOURCE_HOSTS);
	list_files(out, last, DNS_SOURCE_LEASES);
	if (out->err != OK)
		return;
	if (!force && nothing_changed(out, last, wall_s)) {
		out->unchanged = true;
		return;
	}
	out->err = build(out, last, key);
	if (out->err != OK) {
		dns_local_free(out->set);
		out->set = NULL;
	}
}
