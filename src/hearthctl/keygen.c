/* SPDX-License-Identifier: MIT */
/* hearthctl keygen: the two key files of a home, and the line that others trust us by. */
#include "hearthctl/listen.h"

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
};

static const struct option options[] = { { "dir", required_argument, NULL, OPTION_DIR },
	{ "name", required_argument, NULL, OPTION_NAME }, { 0 } };

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

static bool
make_group(const char *path, bool *made)
{
	uint8_t key[SEAL_KEY_BYTES];
	char text[BEACON_GROUP_TEXT + 1], why[KEYFILE_WHY_MAX];
	bool fine;

	seal_random(key, sizeof(key));
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

int
keygen_run(const struct tool *t, int argc, char **argv)
{
	char dir[LISTEN_PATH_MAX], name[BEACON_NAME_MAX];
	char sender[LISTEN_PATH_MAX + 16], group[LISTEN_PATH_MAX + 16];
	bool made_sender, made_group;
	int option;

	(void)t;
	listen_directory(dir);
	host_name(name);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_DIR)
			snprintf(dir, sizeof(dir), "%s", optarg);
		else if (option == OPTION_NAME)
			snprintf(name, sizeof(name), "%s", optarg);
		else
			return TOOL_USAGE;
	}
	if (optind != argc)
		return tool_misuse("keygen [--dir DIR] [--name NAME]");
	if (seal_init() != OK)
		return tool_fail("no source of random numbers");
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return tool_fail("%s: %s", dir, strerror(errno));
	snprintf(sender, sizeof(sender), "%s/sender.key", dir);
	snprintf(group, sizeof(group), "%s/group.key", dir);
	if (!make_sender(sender, &made_sender) || !make_group(group, &made_group))
		return TOOL_FAILED;
	fprintf(stderr, "%s %s: signs what this machine announces; keep it here\n",
	    made_sender ? "made" : "kept", sender);
	fprintf(stderr, "%s %s: paste its line on every machine of the group\n",
	    made_group ? "made" : "kept", group);
	fprintf(stderr, "the line for the trust file of the others:\n");
	return print_trust(sender, name);
}
