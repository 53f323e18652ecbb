/* SPDX-License-Identifier: MIT */
/*
 * Look-ups never leave a root (tftp_confine) and open nothing but plain files. The common case, an
 * exact name whose folder is cached, takes one openat2() and one fstat().
 */
#include "services/tftp/tftp_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/tftp/tftp_confine.h"
#include "util/mac.h"

#define TEMPLATE_SUFFIX ".tmpl"
#define FOLDER_ENTRIES_MAX 65536	/* looked at when letter case is not regarded */

struct search {
	const struct tftp_store *store;
	const struct tftp_client *who;
	bool cached;
	struct tftp_found *out;
	tftp_store_step *step;
	void *ctx;
};

enum err
tftp_store_add(struct tftp_store *store, const struct tftp_match *match, const char *path)
{
	size_t at = store->root_count;
	unsigned rank = match != NULL ? tftp_match_rank(match) : 0;

	if (store->root_count == TFTP_ROOTS_MAX)
		return ERR_FULL;
	if (match != NULL)
		while (at > 0 && tftp_match_rank(&store->roots[at - 1].match) < rank)
			at--;

	char *copy = strdup(path);

	if (copy == NULL)
		return ERR_NOMEM;
	memmove(&store->roots[at + 1], &store->roots[at],
	    (store->root_count - at) * sizeof(store->roots[0]));
	store->roots[at] = (struct tftp_root){ .fd = -1, .path = copy };
	if (match != NULL)
		store->roots[at].match = *match;
	store->root_count++;
	return OK;
}

enum err
tftp_store_open(struct tftp_store *store, size_t *bad)
{
	for (size_t i = 0; i < store->root_count; i++) {
		struct tftp_root *root = &store->roots[i];

		*bad = i;
		root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root->fd < 0)
			return ERR_SYS;
	}
	return OK;
}

void
tftp_store_free(struct tftp_store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < store->root_count; i++) {
		if (store->roots[i].fd >= 0)
			close(store->roots[i].fd);
		free(store->roots[i].path);
	}
	free(store);
}

void
tftp_ident_of(struct tftp_ident *out, const struct stat *st)
{
	memset(out, 0, sizeof(*out));
	out->dev = st->st_dev;
	out->ino = st->st_ino;
	out->size = st->st_size;
	out->mtime = st->st_mtim;
	out->ctime = st->st_ctim;
}

bool
tftp_ident_same(const struct tftp_ident *a, const struct tftp_ident *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec &&
	    a->ctime.tv_sec == b->ctime.tv_sec && a->ctime.tv_nsec == b->ctime.tv_nsec;
}

void
tftp_found_drop(struct tftp_found *found)
{
	if (found->fd >= 0)
		close(found->fd);
	free(found->text);
	found->fd = -1;
	found->text = NULL;
}

static enum tftp_find
find_from_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return TFTP_FIND_NONE;
	case EAGAIN:
		return TFTP_FIND_WAIT;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO:
		return TFTP_FIND_FAILED;
	default:
		/* EXDEV: leads out; ELOOP, EACCES, ENXIO: a socket */
		return TFTP_FIND_DENIED;
	}
}

static const char *
find_text(enum tftp_find f)
{
	static const char *const texts[] = { [TFTP_FIND_OK] = "found",
		[TFTP_FIND_NONE] = "not there", [TFTP_FIND_DENIED] = "refused",
		[TFTP_FIND_WAIT] = "not cached", [TFTP_FIND_FAILED] = "failed" };

	return texts[f];
}

/* Open a plain file; setuid and setgid programs have no business here. */
static enum tftp_find
open_plain(const struct search *s, size_t root, const char *path)
{
	struct tftp_found *out = s->out;
	struct stat st;
	int fd = tftp_confine_open(s->store->roots[root].fd, path,
	    O_RDONLY | O_NONBLOCK | O_NOCTTY, s->cached);

	if (fd < 0)
		return find_from_errno(errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & (S_ISUID | S_ISGID)) != 0) {
		close(fd);
		return TFTP_FIND_DENIED;
	}
	*out = (struct tftp_found){ .fd = fd, .size = (uint64_t)st.st_size, .root = root };
	tftp_ident_of(&out->ident, &st);
	(void)snprintf(out->path, sizeof(out->path), "%s", path);
	return TFTP_FIND_OK;
}

static uint8_t *
read_whole(int fd, size_t size)
{
	uint8_t *text = malloc(size + 1);
	size_t have = 0;

	while (text != NULL && have < size) {
		ssize_t n = pread(fd, text + have, size - have, (off_t)have);

		if (n > 0) {
			have += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			free(text);
			return NULL;
		}
	}
	return text;
}

/* Replace the open template by its text for this client. */
static enum tftp_find
fill_in(const struct search *s)
{
	struct tftp_found *out = s->out;

	if (s->cached) {
		tftp_found_drop(out);
		return TFTP_FIND_WAIT;	/* reading may wait */
	}

	uint8_t *raw =
	    out->size <= TFTP_TEMPLATE_MAX ? read_whole(out->fd, (size_t)out->size) : NULL;
	uint8_t *text = raw != NULL ? malloc(TFTP_TEMPLATE_MAX) : NULL;
	size_t len = 0;

	if (text != NULL)
		len = tftp_client_expand(s->who, span_of(raw, (size_t)out->size), text,
		    TFTP_TEMPLATE_MAX);
	free(raw);
	tftp_found_drop(out);
	if (text == NULL || len > TFTP_TEMPLATE_MAX) {
		free(text);
		return TFTP_FIND_FAILED;
	}
	out->text = text;
	out->size = len;
	return TFTP_FIND_OK;
}

static bool
is_template(const char *path)
{
	size_t len = strlen(path), suffix = strlen(TEMPLATE_SUFFIX);

	return len > suffix && strcmp(path + len - suffix, TEMPLATE_SUFFIX) == 0;
}

static enum tftp_find
try_path(const struct search *s, size_t root, const char *path)
{
	enum tftp_find f = open_plain(s, root, path);

	if (f == TFTP_FIND_OK && is_template(path))
		f = fill_in(s);
	if (s->step != NULL)
		s->step(s->ctx, s->store->roots[root].path, path, find_text(f));
	return f;
}

/* The name itself, then a template for it. */
static enum tftp_find
try_exact(const struct search *s, size_t root, const char *path)
{
	char template[sizeof(s->out->path)];
	enum tftp_find f = try_path(s, root, path);

	if (f != TFTP_FIND_NONE || (size_t)snprintf(template, sizeof(template),
						    "%s" TEMPLATE_SUFFIX, path) >= sizeof(template))
		return f;
	return try_path(s, root, template);
}

/* Find the entry of the open folder whose name is `part` but for letter case. Closes fd. */
static bool
entry_nocase(int fd, char *part, size_t len)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (dir == NULL) {
		close(fd);
		return false;
	}
	for (int i = 0; i < FOLDER_ENTRIES_MAX && (entry = readdir(dir)) != NULL; i++) {
		if (strlen(entry->d_name) != len ||
		    !span_equal_nocase(span_of(entry->d_name, len), span_of(part, len)))
			continue;
		memcpy(part, entry->d_name, len);
		found = true;
		break;
	}
	closedir(dir);
	return found;
}

/* Put the letters of path right, folder by folder. False where something is not there. */
static bool
fix_case(int root, char *path)
{
	for (size_t start = 0;;) {
		size_t len = strcspn(path + start, "/");
		char saved = path[start];
		int fd;

		path[start] = '\0';
		fd =
		    tftp_confine_open(root, start != 0 ? path : ".", O_RDONLY | O_DIRECTORY, false);
		path[start] = saved;
		if (fd < 0 || !entry_nocase(fd, path + start, len))
			return false;
		if (path[start + len] == '\0')
			return true;
		start += len + 1;
	}
}

static enum tftp_find
try_nocase(const struct search *s, size_t root, const char *path)
{
	char fixed[sizeof(s->out->path)];
	int fd = s->store->roots[root].fd;

	(void)snprintf(fixed, sizeof(fixed), "%s", path);
	if (fix_case(fd, fixed))
		return try_path(s, root, fixed);
	if ((size_t)snprintf(fixed, sizeof(fixed), "%s" TEMPLATE_SUFFIX, path) < sizeof(fixed) &&
	    fix_case(fd, fixed))
		return try_path(s, root, fixed);
	return TFTP_FIND_NONE;
}

typedef enum tftp_find try_fn(const struct search *s, size_t root, const char *path);

/* In the folder of this client alone, then in the root itself. */
static enum tftp_find
try_root(const struct search *s, size_t root, const char *name, try_fn *try)
{
	char own[ADDR_TEXT_MAX] = "", path[sizeof(s->out->path)];
	bool common = root + 1 == s->store->root_count;

	if (common && s->store->unique == TFTP_UNIQUE_MAC && s->who->mac_known)
		mac_format(s->who->mac, '-', own);
	else if (common && s->store->unique == TFTP_UNIQUE_ADDRESS)
		addr_format_host(&s->who->peer, own);
	if (own[0] != '\0' &&
	    (size_t)snprintf(path, sizeof(path), "%s/%s", own, name) < sizeof(path)) {
		enum tftp_find f = try(s, root, path);

		if (f != TFTP_FIND_NONE)
			return f;
	}
	return try(s, root, name);
}

static enum tftp_find
try_roots(const struct search *s, const char *name, try_fn *try)
{
	for (size_t i = 0; i < s->store->root_count; i++) {
		bool common = i + 1 == s->store->root_count;

		if (!common && !tftp_match_is(&s->store->roots[i].match, s->who))
			continue;

		enum tftp_find f = try_root(s, i, name, try);

		if (f != TFTP_FIND_NONE)
			return f;
	}
	return TFTP_FIND_NONE;
}

enum tftp_find
tftp_store_find(const struct tftp_store *store, const struct tftp_name *name,
    const struct tftp_client *who, bool cached, struct tftp_found *out, tftp_store_step *step,
    void *ctx)
{
	struct search s = { .store = store, .who = who, .cached = cached, .out = out, .step = step,
		.ctx = ctx };
	struct tftp_name trimmed = *name;
	bool junk = tftp_name_trim(&trimmed);
	enum tftp_find f;

	*out = (struct tftp_found){ .fd = -1 };
	f = try_roots(&s, name->text, try_exact);
	if (f != TFTP_FIND_NONE)
		return f;
	if (cached)
		return store->nocase || junk ? TFTP_FIND_WAIT : TFTP_FIND_NONE;
	if (store->nocase && (f = try_roots(&s, name->text, try_nocase)) != TFTP_FIND_NONE)
		return f;
	if (junk && (f = try_roots(&s, trimmed.text, try_exact)) != TFTP_FIND_NONE)
		return f;
	return junk && store->nocase ? try_roots(&s, trimmed.text, try_nocase) : TFTP_FIND_NONE;
}
