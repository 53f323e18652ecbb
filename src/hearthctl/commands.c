/* SPDX-License-Identifier: MIT */
/*
 * The commands of hearthctl, in the order of --help. A command that runs here has its function; the
 * others are in the list for the help alone: whatever is not found here is sent to the daemon,
 * whose services, loaded ones too, know their own commands.
 */
#include "hearthctl/commands.h"

#include "hearthctl/dump.h"
#include "hearthctl/import.h"
#include "hearthctl/listen.h"
#include "hearthctl/top.h"

#include <stddef.h>

#define LISTENING                                                                                  \
	"      -g, --group-key FILE  keys of the group; none: what everybody may read\n"           \
	"      -t, --trust FILE      who may say what: the lines that keygen prints\n"             \
	"          --state FILE      remember across restarts what was heard\n"                    \
	"      -i, --interface GLOB  listen there only; may be given several times\n"              \
	"          --lease ADDRESS   ask the announcer there for unicast copies\n"                 \
	"          --port NUMBER     another port\n"                                               \
	"          --rejoin TIME     renew memberships that often\n"                               \
	"          --for TIME        end after that time\n"

static const char listen_options[] = LISTENING
	"          --count NUMBER    end after so many lines\n"
	"          --exec PROGRAM    run it for each piece of confirmed news\n"
	"          --json            one object a line\n"
	"          --stats           print counters at the end\n";

static const char verify_options[] = LISTENING
	"          --as NAME         the name under which it is announced\n";

static const char keygen_options[] =
	"          --dir DIR         else /etc/hearth for root, ~/.config/hearth for others\n"
	"          --name NAME       what others shall call us; else the name of this host\n"
	"          --passphrase      make group.key of words that are asked for\n"
	"          --group NAME      with it: the group's name; else \"home\"\n";

const struct command commands[] = {
	{ "status", "", "what the daemon is and does", NULL, NULL },
	{ "top", "", "the same every second, with rates; q ends it", top_run, NULL },
	{ "reload", "", "read the settings again", NULL, NULL },
	{ "dns stats", "", "counters of the DNS cache", NULL, NULL },
	{ "dns top", "", "which names are asked for most, which are blocked, and who asks",
	    NULL, NULL },
	{ "dns lookup", "NAME", "what is cached of a name", NULL, NULL },
	{ "dns dump", "", "all that is cached, as lines of a zone file", dump_run, NULL },
	{ "dns explain", "NAME [TYPE] [CLIENT]", "what would become of a question, stage by stage",
	    NULL, NULL },
	{ "dns flush", "NAME [TYPE]", "forget a name", NULL, NULL },
	{ "dns flush", "--below NAME | --all", "forget a name and all below it, or everything",
	    NULL, NULL },
	{ "dns flush", "--negative | --stale",
	    "forget what does not exist or failed; what is past its time to live", NULL, NULL },
	{ "dns upstreams", "", "the servers that are asked, and how they are", NULL, NULL },
	{ "tftp sessions", "", "transfers under way", NULL, NULL },
	{ "tftp map", "NAME [ADDRESS or MAC]", "which file a request would get, and why",
	    NULL, NULL },
	{ "announce list", "", "what this daemon announces", NULL, NULL },
	{ "announce publish", "[--lifetime TIME] TOPIC [KEY=VALUE ...]",
	    "announce a state, until it is withdrawn or the daemon ends", NULL, NULL },
	{ "announce publish", "--event TOPIC [KEY=VALUE ...]", "announce an event, once",
	    NULL, NULL },
	{ "announce withdraw", "TOPIC", "announce a state no more", NULL, NULL },
	{ "listen", "[OPTION ...] [TOPIC-GLOB ...]", "print what is announced here",
	    listen_run, listen_options },
	{ "verify", "[OPTION ...] FILE", "is a download what a trusted host announces",
	    verify_run, verify_options },
	{ "keygen", "[OPTION ...]", "make the keys of a host and of a group",
	    keygen_run, keygen_options },
	{ "import", "FILE ...", "a dnsmasq.conf as a hearthd.conf, and what is missing in it",
	    import_run, NULL },
	{ 0 }
};
