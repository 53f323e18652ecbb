/* SPDX-License-Identifier: MIT */
/* The daemon's own keys, and the places (directories, user) that they name. */
#include "settings.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/http.h"
#include "core/privs.h"
#include "services/services.h"
#include "util/file.h"

#define USER_DEFAULT  "hearth"
#define USER_FALLBACK "nobody"	/* where the default does not exist */
#define FALLBACK      "dns"	/* what runs where the file has no section of any service */

static const char *const levels[] = { "err", "warning", "notice", "info", "debug", NULL };
static const char *const formats[] = { "text", "json", NULL };

static const struct conf_key log_keys[] = {
	{ .name = "level", .type = CONF_ENUM, .value = "info", .choices = levels,
	    .help = "what is logged: this level and those before it" },
	{ .name = "format", .type = CONF_ENUM, .value = "text", .choices = formats,
	    .help = "one line an event, as text or as a JSON object" },
	{ 0 },
};

static const struct conf_key own_keys[] = {
	{ .name = "user", .type = CONF_STRING, .value = USER_DEFAULT,
	    .flags = CONF_EMPTY | CONF_RESTART,
	    .help = "whom to become once the sockets are bound; \"\" stays who started it" },
	{ .name = "state-dir", .type = CONF_STRING, .value = HEARTH_STATE_DIR,
	    .flags = CONF_EMPTY | CONF_RESTART,
	    .help = "directory for what must survive a restart; \"\" keeps nothing" },
	{ .name = "control", .type = CONF_STRING, .value = CTL_SOCKET,
	    .flags = CONF_EMPTY | CONF_RESTART,
	    .help = "socket that hearthctl talks to; \"\" opens none" },
	{ .name = "load", .type = CONF_STRING, .flags = CONF_LIST | CONF_RESTART,
	    .help = "shared objects with further services" },
	{ .name = "log", .type = CONF_SECTION, .keys = log_keys,
	    .help = "what is logged, and how" },
	{ .name = "http", .type = CONF_SECTION, .keys = http_keys, .check_with = http_check,
	    .help = "a page for browsers and numbers for Prometheus; off without this section" },
};

#define OWN_KEYS (sizeof(own_keys) / sizeof(own_keys[0]))

/* --- reading the file ------------------------------------------------------------------------- */

/* The objects bring keys of their own, so they are loaded before the file is checked. */
static enum err
load_services(struct settings *st, char err[static SETTINGS_ERR_MAX])
{
	static const struct conf_key peek_keys[] = {
		{ .name = "load", .type = CONF_STRING, .flags = CONF_LIST },
		{ 0 },
	};
	struct conf_file *file;
	char why[SETTINGS_ERR_MAX / 2], where[SETTINGS_ERR_MAX / 4];
	enum err e = conf_peek(&file, st->path, peek_keys);

	/* What is wrong with the file is said when it is read for real. */
	if (e != OK)
		return OK;
	for (size_t i = 0; e == OK && i < conf_count(conf_root(file), "load"); i++) {
		const char *path = conf_str_at(conf_root(file), "load", i);

		/* dlopen(3) takes nothing for the program itself. */
		if (*path == '\0')
			continue;
		e = services_load(st->services, path, why, sizeof(why));
		if (e != OK)
			snprintf(err, SETTINGS_ERR_MAX, "%s: %s",
			    conf_where(conf_root(file), "load", i, where, sizeof(where)), why);
	}
	conf_file_free(file);
	return e;
}

static enum err
add_services(struct settings *st, char err[static SETTINGS_ERR_MAX])
{
	enum err e = services_new(&st->services);

	for (size_t i = 0; e == OK && services_builtin[i] != NULL; i++)
		e = services_add(st->services, services_builtin[i]);
	if (e != OK) {
		snprintf(err, SETTINGS_ERR_MAX, "%s", err_text(e));
		return e;
	}

	return load_services(st, err);
}

enum err
settings_init(struct settings *st, const char *path, char err[static SETTINGS_ERR_MAX])
{
	*st = (struct settings){ .path = path };
	if (path == NULL && access(HEARTH_CONF, F_OK) == 0)
		st->path = HEARTH_CONF;

	enum err e = add_services(st, err);

	if (e != OK)
		return e;
	memcpy(st->table, own_keys, sizeof(own_keys));
	services_keys(st->services, st->table + OWN_KEYS, SETTINGS_KEYS_MAX - OWN_KEYS - 1);
	services_fallback(st->services, FALLBACK);
	e = conf_read(&st->file, st->path, st->table, err, SETTINGS_ERR_MAX);
	st->first = st->file;
	return e;
}

void
settings_fini(struct settings *st)
{
	services_free(st->services);
	if (st->file != st->first)
		conf_file_free(st->file);
	conf_file_free(st->first);
	for (size_t i = 0; i < SETTINGS_KEYS_MAX; i++)
		conf_file_free(st->kept[i]);
	*st = (struct settings){ 0 };
}

const struct conf *
settings_root(const struct settings *st)
{
	return conf_root(st->file);
}

void
settings_waiting(const struct settings *st, conf_tell *tell, void *ctx)
{
	const struct conf *old = conf_root(st->first), *now = conf_root(st->file);

	conf_waiting(old, now, tell, ctx);
	conf_waiting_section("http", conf_section(old, "http", 0), conf_section(now, "http", 0),
	    tell, ctx);
	services_waiting(st->services, old, now, tell, ctx);
}

/*
 * Release settings that are not in force, or not any more. A service whose section has gone, or
 * that could not go back, runs on with what it was given last: that is kept as long as it does.
 */
static void
retire(struct settings *st, struct conf_file *file)
{
	struct conf_file **place = NULL;

	for (size_t i = 0; i < SETTINGS_KEYS_MAX; i++) {
		if (st->kept[i] != NULL && !services_use(st->services, conf_root(st->kept[i]))) {
			conf_file_free(st->kept[i]);
			st->kept[i] = NULL;
		}
		if (st->kept[i] == NULL)
			place = &st->kept[i];
	}
	/* There are more places than services, and each runs with one file. */
	assert(place != NULL);
	if (services_use(st->services, conf_root(file)))
		*place = file;
	else
		conf_file_free(file);
}

enum err
settings_reload(struct settings *st, struct log *lg, char err[static SETTINGS_ERR_MAX])
{
	struct conf_file *file;
	const char *complaint;
	enum err e = conf_read(&file, st->path, st->table, err, SETTINGS_ERR_MAX);

	if (e != OK) {
		st->reloads_refused++;
		return e;
	}
	e = services_apply(st->services, conf_root(file), conf_root(st->file));
	if (e != OK) {
		st->reloads_refused++;
		retire(st, file);
		complaint = services_complaint(st->services);
		snprintf(err, SETTINGS_ERR_MAX, "%s", *complaint != '\0' ? complaint
		    : "a service refused its new settings (see the log)");
		return e;
	}
	if (st->file != st->first)
		retire(st, st->file);
	st->file = file;
	st->reloads++;
	settings_apply_log(st, lg);
	return OK;
}

void
settings_apply_log(const struct settings *st, struct log *lg)
{
	const struct conf *cf = conf_section_or_default(settings_root(st), "log");

	log_set(lg, (enum log_level)conf_enum(cf, "level"),
	    (enum log_format)conf_enum(cf, "format"));
}

void
settings_log_lines(struct log *lg, const char *lines)
{
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");

		log_note(lg, LOG_LEVEL_ERR, "hearthd", "%.*s", (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

/* --- user ------------------------------------------------------------------------------------- */

/* Whom the settings mean; "nobody" where they name nobody and the default user is not there. */
static const char *
user_of(const struct settings *st)
{
	const char *user = conf_str(settings_root(st), "user");

	if (geteuid() != 0 || conf_given(settings_root(st), "user") || getpwnam(user) != NULL)
		return user;
	return USER_FALLBACK;
}

const char *
settings_user(const struct settings *st, struct log *lg)
{
	const char *user = conf_str(settings_root(st), "user"), *now = user_of(st);

	if (strcmp(user, now) != 0)
		log_note(lg, LOG_LEVEL_NOTICE, "hearthd",
		    "there is no user \"%s\", becoming \"%s\" (useradd --system %s makes one)",
		    user, now, user);
	return now;
}

void
settings_complain_user(const struct settings *st, struct log *lg)
{
	char where[SETTINGS_ERR_MAX / 4], name[128];

	conf_where(settings_root(st), "user", 0, where, sizeof(where));
	log_note(lg, LOG_LEVEL_ERR, "hearthd", "%s: there is no user %s", where,
	    log_quote(span_str(user_of(st)), name, sizeof(name)));
}

/* --- what is not there ------------------------------------------------------------------------ */

struct printing {
	FILE *out;
	unsigned count;
};

static void
print_missing(void *ctx, const char *words)
{
	struct printing *p = ctx;

	fprintf(p->out, "warning: %s\n", words);
	p->count++;
}

unsigned
settings_print_missing(const struct settings *st, FILE *out)
{
	const struct conf *root = settings_root(st);
	const char *user = user_of(st);
	struct printing p = { .out = out };
	char where[SETTINGS_ERR_MAX / 4], words[SETTINGS_ERR_MAX / 2], name[128];

	if (*user != '\0' && conf_given(root, "user") && getpwnam(user) == NULL) {
		snprintf(words, sizeof(words), "%s: %s: there is no such user",
		    conf_where(root, "user", 0, where, sizeof(where)),
		    log_quote(span_str(user), name, sizeof(name)));
		print_missing(&p, words);
	} else if (geteuid() == 0 && privs_drop(user, 0) != OK) {
		return p.count;		/* what root sees would tell nothing */
	}
	conf_missing(root, CONF_LINK | CONF_LOCAL | CONF_LISTEN | CONF_FILE | CONF_FOLDER,
	    print_missing, &p);
	return p.count;
}

static void
log_missing(void *ctx, const char *words)
{
	log_note(ctx, LOG_LEVEL_WARNING, "hearthd", "%s", words);
}

void
settings_log_missing(const struct settings *st, struct log *lg)
{
	conf_missing(settings_root(st), CONF_LINK | CONF_LOCAL, log_missing, lg);
}

/* --- directories ------------------------------------------------------------------------------ */

/* Nothing is in the directory. */
static bool
is_empty(int fd)
{
	DIR *d = fdopendir(dup(fd));
	const struct dirent *entry;
	bool empty = d != NULL;

	while (empty && (entry = readdir(d)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (d != NULL)
		closedir(d);
	return empty;
}

/*
 * Give a directory to the daemon's user where it is root's and empty: made just now by us or by the
 * service manager, or by hand for this very purpose. Any other is left as it is.
 */
static enum err
give_dir(const struct settings *st, const char *path)
{
	const struct passwd *pw = getpwnam(user_of(st));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat is;
	bool fine = true;

	/* A link is somebody's arrangement; what cannot be opened is told of when it is used. */
	if (fd < 0)
		return OK;
	if (pw != NULL && fstat(fd, &is) == 0 && is.st_uid == 0 && (is.st_mode & S_IWOTH) == 0 &&
	    is_empty(fd))
		fine = fchown(fd, pw->pw_uid, pw->pw_gid) == 0;
	file_close_quietly(fd);
	return fine ? OK : ERR_SYS;
}

/* Make a directory for the daemon's user where there is none. */
static enum err
make_dir(const struct settings *st, const char *path, mode_t mode)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return ERR_SYS;
	return geteuid() == 0 ? give_dir(st, path) : OK;
}

/* May the user that we are going to be write there? */
static bool
user_can_write(const char *path, const char *user)
{
	const struct passwd *pw = geteuid() == 0 && *user != '\0' ? getpwnam(user) : NULL;
	struct stat st;

	if (pw == NULL || pw->pw_uid == 0)
		return access(path, W_OK) == 0;
	if (stat(path, &st) != 0)
		return false;
	errno = EACCES;
	return (st.st_uid == pw->pw_uid && (st.st_mode & S_IWUSR) != 0) ||
	    (st.st_gid == pw->pw_gid && (st.st_mode & S_IWGRP) != 0) || (st.st_mode & S_IWOTH) != 0;
}

const char *
settings_state_dir(const struct settings *st, struct log *lg)
{
	const char *path = conf_str(settings_root(st), "state-dir");

	if (*path == '\0')
		return "";
	if (make_dir(st, path, 0750) == OK && user_can_write(path, user_of(st)))
		return path;
	log_note(lg, LOG_LEVEL_WARNING, "hearthd", "no state is kept: %s: %s", path,
	    strerror(errno));
	return "";
}

/* Who is in the daemon's group may use the socket; the group of nobody is nobody's to share. */
static void
share_socket(const struct settings *st, struct log *lg, const char *path)
{
	const char *user = user_of(st);
	const struct passwd *pw = geteuid() == 0 && *user != '\0' ? getpwnam(user) : NULL;

	if (pw == NULL || strcmp(user, USER_FALLBACK) == 0)
		return;
	if (chown(path, (uid_t)-1, pw->pw_gid) != 0)
		log_note(lg, LOG_LEVEL_WARNING, "hearthd", "%s stays root's alone: %s", path,
		    strerror(errno));
}

enum err
settings_open_control(const struct settings *st, struct log *lg, struct loop *l,
    ctl_handler *handler, void *ctx, struct ctl **out)
{
	const char *path = conf_str(settings_root(st), "control");
	bool chosen = conf_given(settings_root(st), "control");
	char dir[PATH_MAX];

	*out = NULL;
	if (*path == '\0')
		return OK;
	snprintf(dir, sizeof(dir), "%s", path);

	enum err e = make_dir(st, dirname(dir), 0755);

	if (e == OK)
		e = ctl_open(out, l, path, handler, ctx);
	if (e == OK) {
		share_socket(st, lg, path);
		return OK;
	}
	log_note(lg, chosen || e == ERR_EXISTS ? LOG_LEVEL_ERR : LOG_LEVEL_WARNING, "hearthd",
	    "no control socket at %s: %s", path,
	    e == ERR_EXISTS ? "another hearthd answers there"
	    : e == ERR_SYS  ? strerror(errno)
			    : err_text(e));
	return chosen || e == ERR_EXISTS ? e : OK;
}
