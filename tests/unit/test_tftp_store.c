/* SPDX-License-Identifier: MIT */
/* Names, maps, templates, confined look-ups and uploads, in a folder of their own. */
#include "services/tftp/tftp_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/tftp/tftp_confine.h"
#include "services/tftp/tftp_map.h"
#include "services/tftp/tftp_upload.h"
#include "support/unit.h"

static char top[] = "/tmp/hearth-store-XXXXXX";
static char path_buf[512];

static const char *
below(const char *name)
{
	(void)snprintf(path_buf, sizeof(path_buf), "%s/%s", top, name);
	return path_buf;
}

static void
put_file(const char *name, const char *text)
{
	FILE *f = fopen(below(name), "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
}

static void
make_folders(void)
{
	static const char *const folders[] = {
	    "",	  "root",   "root/boot", "root/boot/Deep",
	    "in", "in/sub", "special",	 "root/52-54-00-12-34-56"};

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(top));
	for (size_t i = 1; i < sizeof(folders) / sizeof(folders[0]); i++)
		CU_ASSERT_EQUAL_FATAL(mkdir(below(folders[i]), 0755), 0);
	put_file("root/plain", "plain");
	put_file("root/boot/bcd", "bcd");
	put_file("root/boot/Deep/File.Bin", "deep");
	put_file("root/hello.tmpl", "ip ${ip} mac ${mac} server ${server} ${other} $");
	put_file("root/52-54-00-12-34-56/plain", "of this client");
	put_file("special/plain", "special");
	put_file("secret", "secret");
	(void)mkfifo(below("root/fifo"), 0644);
	(void)!symlink("../secret", below("root/out"));
	(void)!symlink("boot/bcd", below("root/inside"));
	(void)!symlink("loop", below("root/loop"));
	(void)!symlink("/etc/passwd", below("root/absolute"));
	(void)!symlink("..", below("root/updir"));
}

static struct tftp_client
client(const char *ip, bool mac)
{
	struct tftp_client c = { .mac_known = mac, .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };

	CU_ASSERT_EQUAL(addr_parse(&c.peer, ip, 2000), OK);
	CU_ASSERT_EQUAL(addr_parse(&c.server, "192.0.2.1", 69), OK);
	return c;
}

static const char *
cleaned(const char *asked)
{
	static struct tftp_name name;

	switch (tftp_name_clean(&name, span_str(asked), "/srv/tftp")) {
	case OK:
		return name.text;
	case ERR_DENIED:
		return "(denied)";
	case ERR_FORMAT:
		return "(format)";
	case ERR_RANGE:
		return "(range)";
	default:
		return "(?)";
	}
}

static void
names_are_made_relative_and_refused_when_they_climb(void)
{
	char longest[TFTP_NAME_MAX + 2];

	CU_ASSERT_STRING_EQUAL(cleaned("pxelinux.0"), "pxelinux.0");
	CU_ASSERT_STRING_EQUAL(cleaned("\\Boot\\BCD"), "Boot/BCD");
	CU_ASSERT_STRING_EQUAL(cleaned("//a/./b//c/"), "a/b/c");
	CU_ASSERT_STRING_EQUAL(cleaned("/etc/passwd"), "etc/passwd");
	CU_ASSERT_STRING_EQUAL(cleaned("/srv/tftp/x"), "x");
	CU_ASSERT_STRING_EQUAL(cleaned("/srv/tftpx"), "srv/tftpx");
	CU_ASSERT_STRING_EQUAL(cleaned(".."), "(denied)");
	CU_ASSERT_STRING_EQUAL(cleaned("a/../../b"), "(denied)");
	CU_ASSERT_STRING_EQUAL(cleaned("\\..\\x"), "(denied)");
	CU_ASSERT_STRING_EQUAL(cleaned("..."), "...");
	CU_ASSERT_STRING_EQUAL(cleaned("/"), "(format)");
	CU_ASSERT_STRING_EQUAL(cleaned("a\nb"), "(format)");
	memset(longest, 'x', sizeof(longest));
	longest[TFTP_NAME_MAX + 1] = '\0';
	CU_ASSERT_STRING_EQUAL(cleaned(longest), "(range)");
	longest[TFTP_NAME_MAX] = '\0';
	CU_ASSERT_STRING_EQUAL(cleaned(longest), longest);
}

static void
junk_behind_a_name_is_taken_off(void)
{
	struct tftp_name name;

	CU_ASSERT_EQUAL(tftp_name_clean(&name, span_str("pxelinux.0\xff\xff"), ""), OK);
	CU_ASSERT(tftp_name_trim(&name));
	CU_ASSERT_STRING_EQUAL(name.text, "pxelinux.0");
	CU_ASSERT_FALSE(tftp_name_trim(&name));
	CU_ASSERT_EQUAL(tftp_name_clean(&name, span_str("boot/.\xff"), ""), OK);
	CU_ASSERT(tftp_name_trim(&name));
	CU_ASSERT_STRING_EQUAL(name.text, "boot");
	static const char *const nothing[] = { "\xff\xff", ".\xff", "a/..\xff" };

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		CU_ASSERT_EQUAL(tftp_name_clean(&name, span_str(nothing[i]), ""), OK);
		CU_ASSERT_FALSE(tftp_name_trim(&name));
		CU_ASSERT_STRING_EQUAL(name.text, nothing[i]);
	}
}

static void
rules_rewrite_in_order_and_never_lead_out(void)
{
	struct tftp_match lab;
	struct tftp_map_rule rules[] = { { .pattern = "^cfg/([^/]+)$", .to = "hosts/${mac}/\\1" },
		{ .pattern = "^UP$", .to = "../secret", .nocase = true },
		{ .pattern = "^no", .to = NULL },
		{ .pattern = "^only$", .to = "lab", .clients = &lab, .client_count = 1 },
		{ .pattern = "^stop$", .to = "stopped", .final = true },
		{ .pattern = "^stopped$", .to = "wrong" } };
	struct tftp_client who = client("192.0.2.9", true), other = client("198.51.100.1", false);
	struct tftp_map *map;
	struct tftp_name name;
	size_t bad;

	CU_ASSERT_EQUAL(tftp_match_parse(&lab, "192.0.2.0/24"), OK);
	CU_ASSERT_EQUAL_FATAL(tftp_map_new(&map, rules, 6, &bad), OK);
	strcpy(name.text, "cfg/x");
	CU_ASSERT_EQUAL(tftp_map_apply(map, &who, &name, NULL, NULL), OK);
	CU_ASSERT_STRING_EQUAL(name.text, "hosts/52-54-00-12-34-56/x");
	strcpy(name.text, "up");
	CU_ASSERT_EQUAL(tftp_map_apply(map, &who, &name, NULL, NULL), ERR_DENIED);
	strcpy(name.text, "nothing");
	CU_ASSERT_EQUAL(tftp_map_apply(map, &who, &name, NULL, NULL), ERR_DENIED);
	strcpy(name.text, "only");
	CU_ASSERT_EQUAL(tftp_map_apply(map, &other, &name, NULL, NULL), OK);
	CU_ASSERT_STRING_EQUAL(name.text, "only");
	CU_ASSERT_EQUAL(tftp_map_apply(map, &who, &name, NULL, NULL), OK);
	CU_ASSERT_STRING_EQUAL(name.text, "lab");
	strcpy(name.text, "stop");
	CU_ASSERT_EQUAL(tftp_map_apply(map, &who, &name, NULL, NULL), OK);
	CU_ASSERT_STRING_EQUAL(name.text, "stopped");
	tftp_map_free(map);
	rules[3].pattern = "(";
	CU_ASSERT_EQUAL(tftp_map_new(&map, rules, 6, &bad), ERR_FORMAT);
	CU_ASSERT_EQUAL(bad, 3);
}

static void
what_rules_cannot_mean_is_told_in_settings(void)
{
	static const struct {
		const char *pattern, *to;
		bool fine;
	} cases[] = {
		{ "^a", "b", true }, { "^a/(.*)$", "hosts/${mac}/\\1", true }, { "x", "", true },
		{ "x", "..y/y../a..b/\\0", true }, { "x", "$1 ${ip}${server}", true },
		{ "x", "../y", false }, { "x", "y/../z", false }, { "x", "..", false },
		{ "x", "..\\y", false }, { "x", "y/..", false }, { "x", "\\1", false },
		{ "(x)", "\\2", false }, { "(x)(y)", "\\2", true }, { "x", "\\0", true },
		{ "x", "\1", false }, { "x", "${ipp}", false }, { "x", "${", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(tftp_map_check_to(cases[i].pattern, cases[i].to) == NULL,
		    cases[i].fine);
}

static enum tftp_find
find(struct tftp_store *store, const char *asked, const struct tftp_client *who, char got[256])
{
	struct tftp_found found;
	struct tftp_name name;

	got[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(tftp_name_clean(&name, span_str(asked), ""), OK);

	enum tftp_find f = tftp_store_find(store, &name, who, false, &found, NULL, NULL);

	if (f != TFTP_FIND_OK)
		return f;
	if (found.text != NULL) {
		memcpy(got, found.text, found.size);
		got[found.size] = '\0';
	} else {
		ssize_t n = read(found.fd, got, 255);

		CU_ASSERT_EQUAL((uint64_t)n, found.size);
		got[n > 0 ? n : 0] = '\0';
	}
	tftp_found_drop(&found);
	return f;
}

static struct tftp_store *
open_store(void)
{
	struct tftp_store *store = calloc(1, sizeof(*store));
	struct tftp_match m;
	size_t bad;

	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	CU_ASSERT_EQUAL(tftp_store_add(store, NULL, below("root")), OK);
	CU_ASSERT_EQUAL(tftp_match_parse(&m, "198.51.100.0/24"), OK);
	/* The common root has to be the last one, whatever order the settings have. */
	free(store->roots[0].path);
	store->root_count = 0;
	CU_ASSERT_EQUAL(tftp_store_add(store, &m, below("special")), OK);
	CU_ASSERT_EQUAL(tftp_store_add(store, NULL, below("root")), OK);
	CU_ASSERT_EQUAL_FATAL(tftp_store_open(store, &bad), OK);
	return store;
}

static void
look_ups_find_what_clients_mean(void)
{
	struct tftp_store *store = open_store();
	struct tftp_client who = client("192.0.2.9", true), special = client("198.51.100.7", false);
	char got[256];

	store->nocase = true;
	CU_ASSERT_EQUAL(find(store, "plain", &who, got), TFTP_FIND_OK);
	CU_ASSERT_STRING_EQUAL(got, "plain");
	CU_ASSERT_EQUAL(find(store, "plain", &special, got), TFTP_FIND_OK);
	CU_ASSERT_STRING_EQUAL(got, "special");
	CU_ASSERT_EQUAL(find(store, "\\Boot\\BCD", &special, got), TFTP_FIND_OK);
	CU_ASSERT_STRING_EQUAL(got, "bcd");
	CU_ASSERT_EQUAL(find(store, "BOOT/DEEP/file.bin\xff", &who, got), TFTP_FIND_OK);
	CU_ASSERT_STRING_EQUAL(got, "deep");
	CU_ASSERT_EQUAL(find(store, "inside", &who, got), TFTP_FIND_OK);
	CU_ASSERT_EQUAL(find(store, "nothing", &who, got), TFTP_FIND_NONE);
	CU_ASSERT_EQUAL(find(store, "plain/x", &who, got), TFTP_FIND_NONE);
	store->unique = TFTP_UNIQUE_MAC;
	CU_ASSERT_EQUAL(find(store, "plain", &who, got), TFTP_FIND_OK);
	CU_ASSERT_STRING_EQUAL(got, "of this client");
	store->nocase = false;
	CU_ASSERT_EQUAL(find(store, "PLAIN", &who, got), TFTP_FIND_NONE);
	tftp_store_free(store);
}

static void
templates_are_filled_in_for_the_client(void)
{
	struct tftp_store *store = open_store();
	struct tftp_client who = client("192.0.2.9", true);
	char got[256];

	CU_ASSERT_EQUAL(find(store, "hello", &who, got), TFTP_FIND_OK);
	CU_ASSERT_STRING_EQUAL(got,
	    "ip 192.0.2.9 mac 52-54-00-12-34-56 server 192.0.2.1 ${other} $");
	tftp_store_free(store);
}

static void
nothing_outside_and_nothing_but_plain_files(void)
{
	struct tftp_store *store = open_store();
	struct tftp_client who = client("192.0.2.9", false);
	char got[256];
	static const char *const refused[] = {"out",  "loop",	      "absolute",	 "fifo",
					      "boot", "updir/secret", "updir/root/plain"};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		CU_ASSERT_EQUAL(find(store, refused[i], &who, got), TFTP_FIND_DENIED);
	tftp_store_free(store);
}

static void
an_old_kernel_confines_as_well(void)
{
	int root = open(below("root"), O_PATH | O_DIRECTORY);
	int fd = tftp_confine_walk(root, "boot/Deep/File.Bin", O_RDONLY);

	CU_ASSERT(fd >= 0);
	close(fd);
	fd = tftp_confine_walk(root, "boot/", O_RDONLY | O_DIRECTORY);
	CU_ASSERT(fd >= 0);
	close(fd);
	CU_ASSERT_EQUAL(tftp_confine_walk(root, "out", O_RDONLY), -1);
	CU_ASSERT_EQUAL(tftp_confine_walk(root, "updir/secret", O_RDONLY), -1);
	CU_ASSERT_EQUAL(tftp_confine_walk(root, "../secret", O_RDONLY), -1);
	CU_ASSERT_EQUAL(errno, EXDEV);
	CU_ASSERT_EQUAL(tftp_confine_walk(root, "inside", O_RDONLY), -1);
	close(root);
}

static struct tftp_inbox *
open_inbox(bool overwrite)
{
	struct tftp_inbox *inbox;

	CU_ASSERT_EQUAL_FATAL(tftp_inbox_new(&inbox, below("in")), OK);
	inbox->overwrite = overwrite;
	inbox->size_max = 1000;
	return inbox;
}

static enum tftp_put
upload(struct tftp_inbox *inbox, const char *asked, const char *text, uint64_t claim, bool commit)
{
	struct tftp_upload up;
	struct tftp_name name;
	enum tftp_put p;

	CU_ASSERT_EQUAL_FATAL(tftp_name_clean(&name, span_str(asked), ""), OK);
	p = tftp_upload_begin(&up, inbox, &name, claim, UINT64_MAX);
	if (p != TFTP_PUT_OK)
		return p;
	p = tftp_upload_write(&up, span_str(text));
	if (p == TFTP_PUT_OK && commit)
		p = tftp_upload_commit(&up);
	tftp_upload_drop(&up);
	return p;
}

static const char *
content(const char *name)
{
	static char text[64];
	FILE *f = fopen(below(name), "r");

	if (f == NULL)
		return "(none)";
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void
uploads_are_whole_or_not_at_all(void)
{
	struct tftp_inbox *inbox = open_inbox(false);

	CU_ASSERT_EQUAL(upload(inbox, "a", "first", 0, true), TFTP_PUT_OK);
	CU_ASSERT_STRING_EQUAL(content("in/a"), "first");
	CU_ASSERT_EQUAL(upload(inbox, "a", "second", 0, true), TFTP_PUT_EXISTS);
	inbox->overwrite = true;
	CU_ASSERT_EQUAL(upload(inbox, "a", "torn", 0, false), TFTP_PUT_OK);
	CU_ASSERT_STRING_EQUAL(content("in/a"), "first");
	CU_ASSERT_EQUAL(upload(inbox, "a", "second", 0, true), TFTP_PUT_OK);
	CU_ASSERT_STRING_EQUAL(content("in/a"), "second");
	CU_ASSERT_EQUAL(upload(inbox, "sub/b", "b", 0, true), TFTP_PUT_OK);
	CU_ASSERT_EQUAL(upload(inbox, "nosuch/b", "b", 0, true), TFTP_PUT_DENIED);
	CU_ASSERT_EQUAL(upload(inbox, "sub", "b", 0, true), TFTP_PUT_DENIED);
	CU_ASSERT_EQUAL(upload(inbox, ".hearth-upload-1", "b", 0, true), TFTP_PUT_DENIED);
	tftp_inbox_free(inbox);
}

/* Where not even root makes a file. */
static void
a_folder_that_cannot_be_written_is_called_that(void)
{
	struct tftp_inbox *inbox;

	if (tftp_inbox_new(&inbox, "/sys") != OK)
		return;
	inbox->size_max = 1000;
	CU_ASSERT_EQUAL(upload(inbox, "hearth-test", "", 0, false), TFTP_PUT_UNWRITABLE);
	tftp_inbox_free(inbox);
}

static void
uploads_keep_to_their_limits(void)
{
	struct tftp_inbox *inbox = open_inbox(true);
	char big[1002];

	memset(big, 'x', sizeof(big));
	big[1001] = '\0';
	CU_ASSERT_EQUAL(upload(inbox, "big", big, 0, true), TFTP_PUT_FULL);
	CU_ASSERT_EQUAL(upload(inbox, "big", "", 1001, true), TFTP_PUT_FULL);
	inbox->quota = 500;
	big[400] = '\0';
	CU_ASSERT_EQUAL(upload(inbox, "q1", big, 0, true), TFTP_PUT_OK);
	CU_ASSERT_EQUAL(upload(inbox, "q2", big, 0, true), TFTP_PUT_FULL);
	CU_ASSERT_EQUAL(upload(inbox, "q2", "", 200, true), TFTP_PUT_FULL);
	CU_ASSERT_STRING_EQUAL(content("in/q2"), "(none)");
	inbox->quota = 0;
	inbox->reserve = UINT64_MAX / 2;
	CU_ASSERT_EQUAL(upload(inbox, "r", "x", 0, true), TFTP_PUT_FULL);
	tftp_inbox_free(inbox);
}

static void
leftovers_are_removed_but_not_what_is_being_written(void)
{
	struct tftp_inbox *inbox = open_inbox(true);
	struct tftp_upload up;
	struct tftp_name name = { "live" };

	put_file("in/.hearth-upload-0011223344556677", "left");
	CU_ASSERT_EQUAL_FATAL(tftp_upload_begin(&up, inbox, &name, 0, UINT64_MAX), TFTP_PUT_OK);
	CU_ASSERT_EQUAL(tftp_inbox_clean(inbox), 1);
	CU_ASSERT_STRING_EQUAL(content("in/.hearth-upload-0011223344556677"), "(none)");
	CU_ASSERT_EQUAL(tftp_upload_write(&up, span_str("alive")), TFTP_PUT_OK);
	CU_ASSERT_EQUAL(tftp_upload_commit(&up), TFTP_PUT_OK);
	tftp_upload_drop(&up);
	CU_ASSERT_STRING_EQUAL(content("in/live"), "alive");
	tftp_inbox_free(inbox);
}

static void
folders_are_removed_again(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", top);
	CU_ASSERT_EQUAL(system(command), 0);
}

UNIT_MAIN("tftp_store", UNIT(make_folders),
    UNIT(names_are_made_relative_and_refused_when_they_climb),
    UNIT(junk_behind_a_name_is_taken_off), UNIT(rules_rewrite_in_order_and_never_lead_out),
    UNIT(what_rules_cannot_mean_is_told_in_settings),
    UNIT(look_ups_find_what_clients_mean), UNIT(templates_are_filled_in_for_the_client),
    UNIT(nothing_outside_and_nothing_but_plain_files), UNIT(an_old_kernel_confines_as_well),
    UNIT(uploads_are_whole_or_not_at_all), UNIT(uploads_keep_to_their_limits),
    UNIT(a_folder_that_cannot_be_written_is_called_that),
    UNIT(leftovers_are_removed_but_not_what_is_being_written), UNIT(folders_are_removed_again))
