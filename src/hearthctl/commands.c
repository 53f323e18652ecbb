/* SPDX-License-Identifier: MIT */
/*
 * The commands of hearthctl, in the order of --help. A command that runs here has its function; the
 * others are in the list for the help alone: whatever is not found here is sent to the daemon, whose
 * services, loaded ones too, know their own commands.
 */
#include "hearthctl/commands.h"

#include "hearthctl/import.h"
#include "hearthctl/listen.h"
#include "hearthctl/top.h"

#include <stddef.h>

const struct command commands[] = {
	{ "status", "", "what the daemon is and does", NULL },
	{ "top", "", "the same every second, with rates; q ends it", top_run },
	{ "reload", "", "read the settings again", NULL },
	{ "dns stats", "", "counters of the DNS cache", NULL },
	{ "dns lookup", "NAME", "what is cached of a name", NULL },
	{ "dns explain", "NAME [TYPE] [CLIENT]", "what would become of a question, stage by stage", NULL },
	{ "dns flush", "NAME [TYPE]", "forget a name", NULL },
	{ "dns flush", "--below NAME | --all", "forget a name and all below it, or everything", NULL },
	{ "dns upstreams", "", "the servers that are asked, and how they are", NULL },
	{ "announce list", "", "what this daemon announces", NULL },
	{ "announce publish", "[--event] TOPIC [KEY=VALUE ...]", "announce a state or an event",
	    NULL },
	{ "announce withdraw", "TOPIC", "announce a state no more", NULL },
	{ "listen", "[OPTION ...] [TOPIC-GLOB ...]", "print what is announced here", listen_run },
	{ "verify", "[OPTION ...] FILE", "is a download what a trusted host announces",
	    verify_run },
	{ "keygen", "[--dir DIR] [--name NAME]", "make the keys of a host and of a group",
	    keygen_run },
	{ "import", "FILE ...", "a dnsmasq.conf as a hearthd.conf, and what is missing in it", import_run },
	{ 0 }
};
