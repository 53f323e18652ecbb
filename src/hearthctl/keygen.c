/* SPDX-License-Identifier: MIT */
/* hearthctl keygen: the two key files of a home, and the line that others trust us by. */
#include "hearthctl/listen.h"

#include "hearthctl/passphrase.h"
#include "services/announce/armor.h"
#include "services/announce/beacon_keys.h"
#include "util/keyfile.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	OPTION_DIR = 256,
	OPTION_NAME,
	OPTION_PASSPHRASE,
	OPTION_GROUP,
};

static const struct option options[] = { { "dir", required_argument, NULL, OPTION_DIR },
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "passphrase", no_argument, NULL, OPTION_PASSPHRASE },
	{ "group", required_argument, NULL, OPTION_GROUP }, { 0 } };

struct keygen {
	char dir[LISTEN_PATH_MAX];
	char name[BEACON_NAME_MAX + 1];	/* one more, so that too long a name shows */
	bool passphrase;	/* the group's key comes from words */
	const char *group;
};

/* A file that is there stays. True where there is one now. */
static bool
is_there(enum err e, const char *why, bool *made)
{
	*made = e == OK;
	if (e != OK && e != ERR_EXISTS)
		tool_fail("%s", why);
	return e == OK || e == ERR_EXISTS;
}

static bool
make_sender(const char *path, bool *made)
{
	char why[BEACON_WHY_MAX];

	return is_there(beacon_identity_make(path, why), why, made);
}

/* The words are asked for before anything is made. */
static bool
key_from_words(uint8_t key[static SEAL_KEY_BYTES], const char *path, const char *group)
{
	char words[PASSPHRASE_MAX] = "";
	enum err e = ERR_EXISTS;

	if (access(path, F_OK) == 0)
		tool_fail("%s is there already and stays as it is; another --dir?", path);
	else if (passphrase_read(words))
		e = beacon_group_from_words(key, span_str(words), span_str(group));
	seal_wipe(words, sizeof(words));
	if (e == ERR_RANGE)
		tool_fail("a passphrase has at least %d characters: it can be guessed at leisure "
		    "by whoever records the announcements", BEACON_PASSPHRASE_MIN);
	else if (e == ERR_NOMEM)
		tool_fail("256 MiB of memory are needed for this; make the file on another machine "
		    "and paste it here");
	return e == OK;
}

static bool
make_group(const struct keygen *k, const char *path, bool *made)
{
	uint8_t key[SEAL_KEY_BYTES];
	char text[BEACON_GROUP_TEXT + 1], why[KEYFILE_WHY_MAX];
	bool fine;

	if (!k->passphrase)
		seal_random(key, sizeof(key));
	else if (!key_from_words(key, path, k->group))
		return false;
	beacon_group_format(text, key);
	strcat(text, "\n");
	fine = is_there(keyfile_write(path, span_str(text), why), why, made);
	seal_wipe(key, sizeof(key));
	seal_wipe(text, sizeof(text));
	return fine;
}

static void
host_name(char out[static BEACON_NAME_MAX])
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		strcpy(name, "sender");
	name[strcspn(name, ".")] = '\0';
	snprintf(out, BEACON_NAME_MAX, "%.31s", name);
}

static int
print_trust(const char *path, const char *name)
{
	char why[BEACON_WHY_MAX], text[ARMOR_BASE64_TEXT(SEAL_PUBLIC_BYTES)];
	struct beacon_identity me;

	if (beacon_identity_load(&me, path, why) != OK)
		return tool_fail("%s", why);
	armor_base64(text, span_of(me.public, sizeof(me.public)));
	printf("%s ed25519:%s\n", name, text);
	beacon_identity_fini(&me);
	return TOOL_FINE;
}

/* False where the words of the command make no sense. */
static bool
read_options(struct keygen *k, int argc, char **argv, int *status)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_DIR)
			snprintf(k->dir, sizeof(k->dir), "%s", optarg);
		else if (option == OPTION_NAME)
			snprintf(k->name, sizeof(k->name), "%s", optarg);
		else if (option == OPTION_PASSPHRASE)
			k->passphrase = true;
		else if (option == OPTION_GROUP)
			k->group = optarg;
		else
			break;
	}
	if (option != -1)
		*status = tool_try("keygen");
	else if (optind != argc)
		*status = tool_misuse("keygen takes options only");
	else if (k->group != NULL && !k->passphrase)
		*status = tool_misuse("--group goes with --passphrase");
	else if (!beacon_name_ok(k->name))
		*status = tool_misuse("a name has 1 to 31 printable characters without blanks");
	else
		return true;
	return false;
}

int
keygen_run(const struct tool *t, int argc, char **argv)
{
	struct keygen k = { .group = NULL };
	char sender[LISTEN_PATH_MAX + 16], group[LISTEN_PATH_MAX + 16];
	bool made_sender, made_group;
	int status;

	(void)t;
	listen_directory(k.dir);
	host_name(k.name);
	if (!read_options(&k, argc, argv, &status))
		return status;
	if (k.group == NULL)
		k.group = "home";
	if (seal_init() != OK)
		return tool_fail("no source of random numbers");
	if (mkdir(k.dir, 0700) != 0 && errno != EEXIST)
		return tool_fail("%s: %s", k.dir, strerror(errno));
	snprintf(sender, sizeof(sender), "%s/sender.key", k.dir);
	snprintf(group, sizeof(group), "%s/group.key", k.dir);
	if (!make_group(&k, group, &made_group) || !make_sender(sender, &made_sender))
		return TOOL_FAILED;
	fprintf(stderr, "%s %s: signs what this machine announces; keep it here\n",
	    made_sender ? "made" : "kept", sender);
	fprintf(stderr, "%s %s: paste its line on every machine of the group\n",
	    made_group ? "made" : "kept", group);
	fprintf(stderr, "the line for the trust file of the others:\n");
	return print_trust(sender, k.name);
}
