/* SPDX-License-Identifier: MIT */
/* The TFTP server's options. */
#include "hearthctl/import_dnsmasq_impl.h"

#include <string.h>

#define HEADERS 32	/* bytes of IP, UDP and TFTP in front of a block */

const char *
import_enable_tftp(struct import *im, char *value)
{
	import_section_want(im->tftp);
	if (*value != '\0')
		import_differs(im, "hearthd listens on addresses, not on interfaces: put theirs "
		    "into tftp.listen to serve there only.");
	return NULL;
}

const char *
import_tftp_root(struct import *im, char *value)
{
	char *rest = value;
	const char *root = import_plain(import_field(&rest, ','));

	if (import_count(im->tftp, "root") != 0)
		return "hearthd has one root for all interfaces; client \"192.168.1.0/24\" "
		       "{ root = \"…\" } in the section tftp gives some clients another one.";
	if (rest != NULL)
		import_differs(im, "The root is that of all interfaces.");
	import_set(im->conf, im->tftp, "root", root);
	return NULL;
}

const char *
import_tftp_unique_root(struct import *im, char *value)
{
	bool mac = strcmp(value, "mac") == 0;

	if (!mac && *value != '\0' && strcmp(value, "ip") != 0)
		return "Only ip and mac are known.";
	import_set(im->conf, im->tftp, "unique-root", mac ? "mac" : "address");
	return NULL;
}

const char *
import_tftp_max(struct import *im, char *value)
{
	unsigned long n;

	if (!import_number(value, 65536, &n) || n == 0)
		return "The number is not 1 to 65536.";
	import_set_word(im->conf, im->tftp, "sessions-max", import_keep(im->conf, "%lu", n));
	return NULL;
}

const char *
import_tftp_mtu(struct import *im, char *value)
{
	unsigned long n;

	if (!import_number(value, UINT16_MAX, &n) || n < HEADERS + 512)
		return "The MTU is too small or too large.";
	import_set_word(im->conf, im->tftp, "blksize-max",
	    import_keep(im->conf, "%lu", n - HEADERS > 65464 ? 65464 : n - HEADERS));
	return NULL;
}

const char *
import_tftp_no_blocksize(struct import *im, char *value)
{
	(void)value;
	import_set_word(im->conf, im->tftp, "blksize-max", "512");
	import_differs(im, "Clients that ask for a block size are told 512 instead of nothing.");
	return NULL;
}

const char *
import_tftp_single_port(struct import *im, char *value)
{
	(void)value;
	import_set(im->conf, im->tftp, "port-mode", "single");
	return NULL;
}

const char *
import_tftp_port_range(struct import *im, char *value)
{
	char *rest = value;
	unsigned long first, last;
	const char *low = import_field(&rest, ',');

	if (rest == NULL || !import_number(low, UINT16_MAX, &first) ||
	    !import_number(import_field(&rest, ','), UINT16_MAX, &last) || first == 0 ||
	    first > last)
		return "The range is none.";
	import_set(im->conf, im->tftp, "port-mode", import_keep(im->conf, "%lu-%lu", first, last));
	return NULL;
}

void
import_tftp_finish(struct import *im)
{
	if (import_count(im->tftp, "root") == 0)
		import_remark(im->conf, IMPORT_DIFFERS, NULL, "dnsmasq without tftp-root serves "
		    "every file that it may read; hearthd serves those below a folder, /srv/tftp "
		    "unless tftp.root names another.");
	import_remark(im->conf, IMPORT_DEFAULT, NULL, "TFTP: hearthd grants windows of up to 64 "
	    "blocks (RFC 7440), tftp.windowsize-max = 1 forbids them; it looks for a name in "
	    "another letter case where there is none in the exact one, tftp.ignore-case = false "
	    "forbids that.");
}
