/* SPDX-License-Identifier: MIT */
/*
 * Shared by the parts of the importer. A handler is given the value of one line, which it may take
 * apart in place, and gives NULL where the line is carried over, else the reason why not.
 */
#ifndef HEARTHCTL_IMPORT_DNSMASQ_IMPL_H
#define HEARTHCTL_IMPORT_DNSMASQ_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "hearthctl/import_conf.h"
#include "hearthctl/import_dnsmasq.h"
#include "hearthctl/import_line.h"
#include "util/err.h"
#include "util/span.h"

#define IMPORT_NO_DHCP "hearthd gives out no addresses: keep dnsmasq for DHCP, with port=0 and " \
	"without enable-tftp in its dnsmasq.conf; hearthd answers the names in its leases."
#define IMPORT_BAD_NAME "This is not a name that DNS can carry."

/* One line of the old files that says something. */
struct import_said {
	STAILQ_ENTRY(import_said) link;
	const char *where;	/* FILE:LINE: the line */
	const char *option;
	char *value;		/* shielded, see import_line.h */
};

STAILQ_HEAD(import_all, import_said);

/* A server of one zone. */
struct import_server {
	STAILQ_ENTRY(import_server) link;
	const char *zone;	/* NULL: every name */
	const char *server;	/* NULL: those of every name ("#") */
	bool named;		/* it is a name, not an address */
	const char *interface;	/* NULL: none */
	const char *source;	/* NULL: none */
	const char *where;
};

struct import {
	struct import_conf *conf;
	struct import_section *dns;
	struct import_section *tftp;
	const struct import_files *files;
	const char *where;	/* of the line at work */
	const char *domain;	/* NULL: none */
	const char *mx_target;	/* NULL: none */
	unsigned long port;
	bool dns_off;
	bool interfaces;	/* dnsmasq is bound to interfaces by name */
	bool no_resolv;
	bool no_hosts;
	bool dhcp;
	bool expand_hosts;
	bool all_servers;
	bool rebinding_is_fine;		/* there is no stop-dns-rebind */
	bool tftp_no_blocksize;
	bool tftp_single_port;
	const char *tftp_root_of_one;	/* the line of a root that is one interface's; NULL: none */
	size_t zero_addresses;	/* names answered with nothing */
	unsigned long max_ttl;	/* seconds, the smallest so far; 0: none yet */
	STAILQ_HEAD(, import_server) servers;
};

typedef const char *import_handler(struct import *im, char *value);

/* A remark about the line at work. */
void import_differs(struct import *im, const char *why);

/*
 * The zone that a domain of server=, local= or address= means: "*.x" and ".x" are x. NULL where it
 * cannot be one; *why says why.
 */
const char *import_zone(struct import *im, char *domain, const char **why);

/* A name in text form with its closing dot; NULL where it is none. */
const char *import_name(struct import *im, char *text);

/* An address or NULL: the number of its bytes, 4 or 16, or 0. */
size_t import_address(const char *text);

/* import_dnsmasq_servers.c */
import_handler import_server_line, import_local_line, import_rev_server, import_address_line,
    import_domain, import_rebind_domain_ok, import_nftset, import_ipset;
/* Write the servers that were collected. */
void import_servers_finish(struct import *im);

/* import_dnsmasq_records.c */
import_handler import_host_record, import_cname, import_mx_host, import_txt_record, import_srv_host,
    import_ptr_record, import_naptr_record, import_caa_record, import_dns_rr, import_dhcp_host;

/* import_dnsmasq_tftp.c */
import_handler import_enable_tftp, import_tftp_root, import_tftp_unique_root, import_tftp_max,
    import_tftp_mtu, import_tftp_no_blocksize, import_tftp_single_port, import_tftp_port_range;
void import_tftp_finish(struct import *im);

/*
 * import_dnsmasq_read.c: all lines of the files, included ones in their place. In counts, lines
 * grows by all that say something, known by those that are dealt with here. Errors as
 * import_dnsmasq().
 */
enum err import_read_all(struct import_conf *conf, const struct import_files *files,
    char *const *paths, size_t count, struct import_all *all, struct import_counts *counts,
    size_t *bad) MUST_CHECK;

#endif
