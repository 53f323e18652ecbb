/* SPDX-License-Identifier: MIT */
/*
 * What settings name outside of themselves: interfaces, addresses, files. Each may come later, and
 * the services wait for it; but most often it is a slip, so somebody has to say it.
 */
#include "core/conf_tree.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

struct search {
	unsigned flags;
	conf_miss *miss;
	void *ctx;
};

/* --- one value: each gives what is wrong with it, or NULL ------------------------------------- */

static const char *
look_link(const char *name)
{
	return strpbrk(name, "*?") != NULL || if_nametoindex(name) != 0 ? NULL
	    : "no such interface is there now";
}

/* Only the kernel knows all the addresses that it takes for ours. */
static const char *
look_addr(const struct addr *a)
{
	struct addr local = *a;
	int fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? "this machine has no IPv6" : NULL;
	addr_set_port(&local, 0);
	refused = bind(fd, &local.sa, addr_len(&local)) != 0;

	int why = errno;

	close(fd);
	if (!refused || (why != EADDRNOTAVAIL && why != EINVAL))
		return NULL;
	return addr_is_linklocal(a) && a->sa.sa_family == AF_INET6 && a->in6.sin6_scope_id == 0
	    ? "a link-local address needs its interface: \"fe80::1%eth0\""
	    : "this machine has no such address now";
}

static const char *
look_folder(const char *path, bool written, bool early)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? "no such folder is there now"
		    : early || errno != EACCES		   ? NULL : "the way there is closed";
	if (!S_ISDIR(st.st_mode))
		return "this is no folder";
	if (!early && access(path, R_OK | X_OK) != 0)
		return "the folder cannot be read";
	return written && access(path, W_OK | X_OK) != 0 ? "the folder cannot be written to" : NULL;
}

/* A file to write is made where it is not there, as long as its folder is. */
static const char *
look_file(const char *path, bool written, bool early)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) == 0)
		return early || access(path, written ? W_OK : R_OK) == 0 ? NULL
		    : written ? "the file cannot be written to" : "the file cannot be read";
	if (errno == EACCES)
		return early ? NULL : "the way there is closed";
	if (!written || slash == NULL || slash == path)
		return written ? NULL : "no such file is there now";

	char *folder = strndup(path, (size_t)(slash - path));
	const char *wrong = folder != NULL ? look_folder(folder, true, early) : NULL;

	free(folder);
	return wrong;
}

static const char *
look(const struct conf_key *key, const struct conf_value *v, unsigned flags)
{
	bool written = (key->flags & CONF_WRITTEN) != 0, early = (key->flags & CONF_EARLY) != 0;
	bool file = (key->flags & flags & (CONF_FILE | CONF_FOLDER)) != 0;

	if (*v->text == '\0')
		return NULL;
	if (key->flags & flags & CONF_LINK)
		return look_link(v->text);
	if (key->flags & flags & (CONF_LOCAL | CONF_LISTEN))
		return look_addr(&v->addr);
	if (file && v->text[0] != '/')
		return "a path that does not begin with / depends on where hearthd is started";
	if (file && (key->flags & CONF_FOLDER))
		return look_folder(v->text, written, early);
	return file ? look_file(v->text, written, early) : NULL;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void
look_values(const struct search *s, const struct conf *cf, const struct conf_slot *slot)
{
	char where[2 * CONF_PATH_MAX], quoted[256], words[4 * CONF_PATH_MAX];

	for (size_t i = 0; i < slot->values_count; i++) {
		const struct conf_value *v = &slot->values[i];
		const char *wrong = look(slot->key, v, s->flags);

		/* A default that is not there is nobody's slip, but where nothing works without. */
		if (wrong == NULL || (!slot->given && !(slot->key->flags & CONF_FOLDER)))
			continue;
		snprintf(words, sizeof(words), "%s: %s: %s",
		    conf_where(cf, slot->key->name, i, where, sizeof(where)),
		    log_quote(span_str(v->text), quoted, sizeof(quoted)), wrong);
		s->miss(s->ctx, words);
	}
}

static void
look_section(const struct search *s, const struct conf *cf)
{
	for (size_t i = 0; i < cf->slots_count; i++) {
		look_values(s, cf, &cf->slots[i]);
		for (size_t k = 0; k < cf->slots[i].sections_count; k++)
			look_section(s, cf->slots[i].sections[k]);
	}
}

void
conf_missing(const struct conf *root, unsigned flags, conf_miss *miss, void *ctx)
{
	look_section(&(struct search){ .flags = flags, .miss = miss, .ctx = ctx }, root);
}
