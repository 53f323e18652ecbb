/* SPDX-License-Identifier: MIT */
/* Options of the subscribing commands, and where their files are as a rule. */
#include "hearthctl/listen.h"

#include "core/conf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
add_name(const char *names[static LISTEN_NAMES_MAX], const char *name)
{
	size_t n = 0;

	while (names[n] != NULL)
		n++;
	if (n == LISTEN_NAMES_MAX - 1)
		return false;
	names[n] = name;
	return true;
}

static bool
read_port(struct listen_options *o, const char *value)
{
	char *end;
	unsigned long port = strtoul(value, &end, 10);

	o->open.port = (uint16_t)port;
	return *value != '\0' && *end == '\0' && port >= 1 && port <= 65535;
}

static bool
read_rejoin(struct listen_options *o, const char *value)
{
	usec span;

	if (conf_parse_duration(value, &span) != OK || span < seconds(1) || span > seconds(86400))
		return false;
	o->open.rejoin_s = (unsigned)(span / seconds(1));
	return true;
}

bool
listen_option(struct listen_options *o, int option, const char *value)
{
	switch (option) {
	case 'g':
		o->open.group_key = value;
		return true;
	case 't':
		o->open.trust = value;
		return true;
	case 'S':
		o->open.state = value;
		return true;
	case 'i':
		return add_name(o->interfaces, value);
	case 'l':
		return add_name(o->lessors, value);
	case 'p':
		return read_port(o, value);
	case 'r':
		return read_rejoin(o, value);
	default:
		return false;
	}
}

int
listen_misuse(const char *command, const struct option *options, int option, const char *value)
{
	while (options->name != NULL && options->val != option)
		options++;
	if (options->name != NULL)
		tool_fail("--%s does not take \"%s\"", options->name, value);
	return tool_try(command);
}

const char *
listen_directory(char buf[static LISTEN_PATH_MAX])
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (geteuid() == 0 || (config == NULL && home == NULL))
		snprintf(buf, LISTEN_PATH_MAX, "/etc/hearth");
	else if (config != NULL && *config != '\0')
		snprintf(buf, LISTEN_PATH_MAX, "%s/hearth", config);
	else
		snprintf(buf, LISTEN_PATH_MAX, "%s/.config/hearth", home);
	return buf;
}

static void
use_if_there(const char **option, char path[static LISTEN_PATH_MAX], const char *name)
{
	char dir[LISTEN_PATH_MAX - 16];
	char whole[LISTEN_PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", listen_directory(whole));
	snprintf(path, LISTEN_PATH_MAX, "%s/%s", dir, name);
	if (*option == NULL && access(path, F_OK) == 0)
		*option = path;
}

void
listen_defaults(struct listen_options *o)
{
	o->open.size = sizeof(o->open);
	o->open.interfaces = o->interfaces;
	o->open.lessors = o->lessors;
	use_if_there(&o->open.group_key, o->group_key, "group.key");
	use_if_there(&o->open.trust, o->trust, "trust");
}
