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

#define WHY_ONE_ROOT "hearthd has one root for all interfaces; client \"192.168.1.0/24\" " \
	"{ root = \"…\" } in the section tftp gives some clients another one."

const char *
import_tftp_root(struct import *im, char *value)
{
	char *rest = value;
	const char *root = import_plain(import_field(&rest, ','));
	bool of_one = rest != NULL;

	if (import_count(im->tftp, "root") != 0 && (of_one || im->tftp_root_of_one == NULL))
		return WHY_ONE_ROOT;
	/* That of all interfaces takes the place of one interface's, which came first. */
	if (im->tftp_root_of_one != NULL)
		import_remark(im->conf, IMPORT_LOST, im->tftp_root_of_one, WHY_ONE_ROOT);
	im->tftp_root_of_one = of_one ? im->where : NULL;
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
	if (im->tftp_no_blocksize) {
		import_remark(im->conf, IMPORT_ALWAYS, im->where, "With tftp-no-blocksize a block "
		    "has 512 bytes, whatever the MTU.");
		return NULL;
	}
	import_set_word(im->conf, im->tftp, "blksize-max",
	    import_keep(im->conf, "%lu", n - HEADERS > 65464 ? 65464 : n - HEADERS));
	return NULL;
}

const char *
import_tftp_no_blocksize(struct import *im, char *value)
{
	(void)value;
	im->tftp_no_blocksize = true;
	import_set_word(im->conf, im->tftp, "blksize-max", "512");
	import_differs(im, "dnsmasq passes over the option blksize of a request; hearthd agrees to "
	    "512 bytes, which is what a block has without the option.");
	return NULL;
}

const char *
import_tftp_single_port(struct import *im, char *value)
{
	(void)value;
	im->tftp_single_port = true;
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
	if (im->tftp_single_port) {
		import_remark(im->conf, IMPORT_ALWAYS, im->where,
		    "With tftp-single-port transfers have no port of their own.");
		return NULL;
	}
	import_set(im->conf, im->tftp, "port-mode", import_keep(im->conf, "%lu-%lu", first, last));
	return NULL;
}

void
import_tftp_finish(struct import *im)
{
	if (im->tftp_root_of_one != NULL)
		import_remark(im->conf, IMPORT_DIFFERS, im->tftp_root_of_one,
		    "The root is that of all interfaces.");
	if (import_count(im->tftp, "root") == 0)
		import_remark(im->conf, IMPORT_DIFFERS, NULL, "dnsmasq without tftp-root serves "
		    "every file that it may read; hearthd serves those below a folder, /srv/tftp "
		    "unless tftp.root names another.");
	import_remark(im->conf, IMPORT_DEFAULT, NULL, "TFTP: hearthd grants windows of up to 64 "
	    "blocks (RFC 7440), tftp.windowsize-max = 1 forbids them; it looks for a name in "
	    "another letter case where there is none in the exact one, tftp.ignore-case = false "
	    "forbids that.");
}
