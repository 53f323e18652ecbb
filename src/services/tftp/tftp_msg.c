/* SPDX-License-Identifier: MIT */
/*
 * Codec for RFC 1350 packets and the options of RFC 2347. Requests are read leniently behind the
 * mode, everywhere else a packet must be exactly what the RFC says.
 */
#include "services/tftp/tftp_msg.h"

static const char *const mode_names[] = { "octet", "netascii" };

static enum tftp_mode
mode_of(struct span name)
{
	for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++)
		if (span_equal_nocase(name, span_str(mode_names[i])))
			return (enum tftp_mode)i;
	return TFTP_MODE_OTHER;
}

/*
 * Read name and value pairs until the end. An option whose value or closing zero is missing is
 * left out, as the RFC lets a server leave out any; an empty name ends the list, since some boot
 * ROMs pad their request with zeros to a fixed length.
 */
static void
parse_options(struct wire_rd *rd, struct tftp_msg *out)
{
	while (wire_rd_left(rd) != 0 && out->option_count < TFTP_OPTIONS_MAX) {
		struct span name = wire_rd_cstr(rd);
		struct span value = wire_rd_cstr(rd);

		if (rd->bad || name.len == 0)
			return;
		out->options[out->option_count++] = (struct tftp_option){ name, value };
	}
}

static enum err
parse_request(struct wire_rd *rd, struct tftp_msg *out)
{
	out->file = wire_rd_cstr(rd);
	out->mode = mode_of(wire_rd_cstr(rd));
	if (rd->bad)
		return ERR_SHORT;
	if (out->file.len == 0)
		return ERR_FORMAT;
	parse_options(rd, out);
	return OK;
}

/* The closing zero of the text is missing from some clients (old netkit); nothing depends on it. */
static enum err
parse_error(struct wire_rd *rd, struct tftp_msg *out)
{
	out->code = wire_rd_u16(rd);
	out->text = wire_rd_rest(rd);
	if (rd->bad)
		return ERR_SHORT;

	const uint8_t *zero = out->text.len != 0 ? memchr(out->text.at, 0, out->text.len) : NULL;

	if (zero != NULL)
		out->text.len = (size_t)(zero - out->text.at);
	return OK;
}

enum err
tftp_msg_parse(struct tftp_msg *out, struct span bytes)
{
	struct wire_rd rd = wire_rd_of(bytes);
	uint16_t op = wire_rd_u16(&rd);

	out->option_count = 0;
	if (rd.bad)
		return ERR_SHORT;
	out->op = (enum tftp_op)op;
	switch (op) {
	case TFTP_RRQ:
	case TFTP_WRQ:
		return parse_request(&rd, out);
	case TFTP_DATA:
		out->block.v = wire_rd_u16(&rd);
		out->data = wire_rd_rest(&rd);	/* empty is legal: RFC 1350 §6 */
		return wire_rd_finish(&rd);
	case TFTP_ACK:
		out->block.v = wire_rd_u16(&rd);
		return wire_rd_finish(&rd);
	case TFTP_ERROR:
		return parse_error(&rd, out);
	case TFTP_OACK:
		parse_options(&rd, out);
		return OK;
	default:
		return ERR_FORMAT;
	}
}

static void
put_options(struct wire_wr *wr, const struct tftp_msg *msg)
{
	for (size_t i = 0; i < msg->option_count; i++) {
		wire_wr_cstr(wr, msg->options[i].name);
		wire_wr_cstr(wr, msg->options[i].value);
	}
}

enum err
tftp_msg_put(struct wire_wr *wr, const struct tftp_msg *msg)
{
	wire_wr_u16(wr, (uint16_t)msg->op);
	switch (msg->op) {
	case TFTP_RRQ:
	case TFTP_WRQ:
		if (msg->mode == TFTP_MODE_OTHER)
			return ERR_FORMAT;
		wire_wr_cstr(wr, msg->file);
		wire_wr_cstr(wr, span_str(mode_names[msg->mode]));
		put_options(wr, msg);
		break;
	case TFTP_DATA:
		wire_wr_u16(wr, msg->block.v);
		wire_wr_bytes(wr, msg->data);
		break;
	case TFTP_ACK:
		wire_wr_u16(wr, msg->block.v);
		break;
	case TFTP_ERROR:
		wire_wr_u16(wr, msg->code);
		wire_wr_cstr(wr, msg->text);
		break;
	case TFTP_OACK:
		put_options(wr, msg);
		break;
	}
	return wire_wr_finish(wr);
}

void
tftp_data_header(uint8_t at[static TFTP_HEADER_BYTES], struct seq16 block)
{
	wire_put_u16(at, TFTP_DATA);
	wire_put_u16(at + 2, block.v);
}

const char *
tftp_code_text(enum tftp_code code)
{
	switch (code) {
	case TFTP_CODE_OTHER:
		return "error";
	case TFTP_CODE_NOT_FOUND:
		return "File not found";
	case TFTP_CODE_DENIED:
		return "Access violation";
	case TFTP_CODE_DISK_FULL:
		return "Disk full or allocation exceeded";
	case TFTP_CODE_ILLEGAL:
		return "Illegal TFTP operation";
	case TFTP_CODE_UNKNOWN_TID:
		return "Unknown transfer ID";
	case TFTP_CODE_EXISTS:
		return "File already exists";
	case TFTP_CODE_NO_USER:
		return "No such user";
	case TFTP_CODE_OPTIONS:
		return "Failure to negotiate RFC2347 options";
	}
	return "error";
}
