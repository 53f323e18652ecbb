# tftp: codec (msg, terms, block, netascii), engines (sender, receiver, pace), edge (the rest).
noinst_LIBRARIES += src/libtftp.a
src_libtftp_a_SOURCES = \
	src/services/tftp/tftp_accept.c \
	src/services/tftp/tftp_block.c src/services/tftp/tftp_block.h \
	src/services/tftp/tftp_client.c src/services/tftp/tftp_client.h \
	src/services/tftp/tftp_commands.c src/services/tftp/tftp_commands.h \
	src/services/tftp/tftp_confine.c src/services/tftp/tftp_confine.h \
	src/services/tftp/tftp_hash.c src/services/tftp/tftp_hash.h \
	src/services/tftp/tftp_hosts.c src/services/tftp/tftp_hosts.h \
	src/services/tftp/tftp_io.c src/services/tftp/tftp_io.h \
	src/services/tftp/tftp_log.c \
	src/services/tftp/tftp_map.c src/services/tftp/tftp_map.h \
	src/services/tftp/tftp_msg.c src/services/tftp/tftp_msg.h \
	src/services/tftp/tftp_name.c src/services/tftp/tftp_name.h \
	src/services/tftp/tftp_netascii.c src/services/tftp/tftp_netascii.h \
	src/services/tftp/tftp_pace.c src/services/tftp/tftp_pace.h \
	src/services/tftp/tftp_reader.c src/services/tftp/tftp_reader.h \
	src/services/tftp/tftp_receiver.c src/services/tftp/tftp_receiver.h \
	src/services/tftp/tftp_sender.c src/services/tftp/tftp_sender.h \
	src/services/tftp/tftp_serve.c \
	src/services/tftp/tftp_service.c src/services/tftp/tftp_service.h \
	src/services/tftp/tftp_session.c src/services/tftp/tftp_session.h \
	src/services/tftp/tftp_settings.c src/services/tftp/tftp_settings.h \
	src/services/tftp/tftp_store.c src/services/tftp/tftp_store.h \
	src/services/tftp/tftp_terms.c src/services/tftp/tftp_terms.h \
	src/services/tftp/tftp_transfer.c src/services/tftp/tftp_transfer.h \
	src/services/tftp/tftp_upload.c src/services/tftp/tftp_upload.h
