#include "link/broker_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gw/buf.h"
#include "gw/limits.h"
#include "gw/str.h"

#define FILE_BYTES     16384
#define PASSWORD_CHARS 26 /* of 5 bits: 130 bits */
#define HASH_ITERATIONS                                                                            \
	101 /* as mosquitto_passwd; the passwords are random, so stretching adds nothing */
#define SALT_BYTES 12
#define HASH_BYTES 64

struct account {
	const char *name;
	const char *file;  /* that keeps the password; NULL: made anew at each start */
	const char *rules; /* of mosquitto's acl_file; denials win wherever they stand */
};

static const struct account accounts[GW_BROKER_ACCOUNTS] = {
	[GW_BROKER_ACCOUNT_ADAPTER] = {"hearth-adapter", NULL,
				       "topic readwrite #\ntopic deny hearth/#\n"},
	[GW_BROKER_ACCOUNT_SURFACE] = {"hearth-surface", NULL, "topic readwrite #\n"},
	[GW_BROKER_ACCOUNT_DEVICE] = {"device", "device.password",
				      "topic readwrite #\ntopic deny hearth/#\n"},
	/* Controllers also follow the two announcements that we make, and answer in their ways. */
	[GW_BROKER_ACCOUNT_HOME] = {"home", "home.password",
				    "topic read hearth/#\n"
				    "topic write hearth/+/+/+/+/set\n"
				    "topic read homie/#\n"
				    "topic write homie/5/+/+/+/set\n"
				    "topic read homeassistant/#\n"
				    "topic write homeassistant/status\n"},
};

const char *gw_broker_account_name(enum gw_broker_account account)
{
	return accounts[account].name;
}

static int file_path(const struct gw_broker_files *f, const char *name, char *ret_path, size_t cap)
{
	int n = snprintf(ret_path, cap, "%s/%s", f->dir, name);
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

static int write_all(int fd, struct gw_str text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.p, text.len);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		text.p += n;
		text.len -= (size_t)n;
	}
	return 0;
}

static int sync_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	int r = fsync(fd) < 0 ? -errno : 0;
	(void)close(fd); /* nothing was written through it */
	return r;
}

/* Security rule R38. What is written anew at each start need not survive a power cut, so it costs no fsync. */
static int replace_file(const struct gw_broker_files *f, const char *name, struct gw_str text,
			bool durable, struct gw_error *reterr_)
{
	char path[600], temp[608];
	int r = file_path(f, name, path, sizeof(path));
	if (r == 0) {
		(void)snprintf(temp, sizeof(temp), "%s.new", path);
		(void)unlink(temp); /* left by a power cut, perhaps */
		int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = fd < 0 ? -errno : write_all(fd, text);
		if (r == 0 && durable && fsync(fd) < 0) {
			r = -errno;
		}
		if (fd >= 0 && close(fd) < 0 && r == 0) {
			r = -errno;
		}
	}
	if (r == 0 && rename(temp, path) < 0) {
		r = -errno;
	}
	if (r == 0 && durable) {
		r = sync_directory(f->dir);
	}
	if (r < 0) {
		return gw_error_set(reterr_, r, "broker", "cannot write %s/%s: %s", f->dir, name,
				    strerror(-r));
	}
	return 0;
}

/* --- passwords --- */

static int make_password(char *ret_password)
{
	static const char symbols[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* no i l o u */
	uint8_t random[PASSWORD_CHARS];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return -EIO;
	}
	for (size_t i = 0; i < sizeof(random); i++) {
		ret_password[i] = symbols[random[i] & 31];
	}
	ret_password[sizeof(random)] = '\0';
	OPENSSL_cleanse(random, sizeof(random));
	return 0;
}

static bool is_password(struct gw_str s)
{
	if (s.len < 8 || s.len >= GW_BROKER_PASSWORD_BYTES) {
		return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~') {
			return false;
		}
	}
	return true;
}

/* -ENOENT when there is none. The owner may have written one of their own. */
static int read_password(const char *path, char *ret_password)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	char text[GW_BROKER_PASSWORD_BYTES + 2];
	struct stat st;
	ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, text, sizeof(text)) : -1;
	(void)close(fd); /* only read */
	struct gw_str password = gw_str_trim((struct gw_str){text, n > 0 ? (size_t)n : 0});
	int r = -EINVAL;
	if (is_password(password)) {
		memcpy(ret_password, password.p, password.len);
		ret_password[password.len] = '\0';
		r = 0;
	}
	OPENSSL_cleanse(text, sizeof(text));
	return r;
}

static int keep_password(struct gw_broker_files *f, enum gw_broker_account account,
			 struct gw_error *reterr_)
{
	const struct account *a = &accounts[account];
	char path[600], line[GW_BROKER_PASSWORD_BYTES + 1];
	int r = file_path(f, a->file, path, sizeof(path));
	if (r == 0) {
		r = read_password(path, f->password[account]);
	}
	if (r == -ENOENT) {
		r = make_password(f->password[account]);
		if (r == 0) {
			int n = snprintf(line, sizeof(line), "%s\n", f->password[account]);
			r = replace_file(f, a->file, (struct gw_str){line, (size_t)n},
					 /* durable= */ true, reterr_);
			OPENSSL_cleanse(line, sizeof(line));
			return r;
		}
	}
	if (r == -EINVAL) {
		/* Making another one would lock every appliance of the home out, so the owner decides. */
		return gw_error_set(
			reterr_, r, "broker",
			"%s holds no password: expected one line of 8 to 64 printable "
			"characters without blanks. Correct it, or remove it to get a new one",
			path);
	}
	if (r < 0) {
		return gw_error_set(reterr_, r, "broker", "cannot read %s: %s", path, strerror(-r));
	}
	return 0;
}

/* One line of mosquitto's password_file: name:$7$iterations$salt$hash, PBKDF2 with SHA-512. */
static int add_hash(struct gw_buf *b, const char *name, const char *password)
{
	uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
	unsigned char salt64[SALT_BYTES / 3 * 4 + 1], hash64[(HASH_BYTES + 2) / 3 * 4 + 1];
	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt)) {
		return -EIO;
	}
	if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, sizeof(salt), HASH_ITERATIONS,
			      EVP_sha512(), sizeof(hash), hash) != 1) {
		return -ENOMEM;
	}
	(void)EVP_EncodeBlock(salt64, salt, sizeof(salt)); /* returns the length, which is known */
	(void)EVP_EncodeBlock(hash64, hash, sizeof(hash));
	gw_buf_printf(b, "%s:$7$%d$%s$%s\n", name, HASH_ITERATIONS, (char *)salt64, (char *)hash64);
	return 0;
}

/* --- all of them --- */

int gw_broker_files_open(struct gw_broker_files *f, const char *state_dir, struct gw_error *reterr_)
{
	char absolute[PATH_MAX];
	int r = realpath(state_dir, absolute) ? 0 : -errno;
	if (r == 0 &&
	    (strlen(absolute) + sizeof("/broker") > sizeof(f->dir) || strpbrk(absolute, "\n\r"))) {
		r = -ENAMETOOLONG;
	}
	if (r == 0) {
		(void)snprintf(f->dir, sizeof(f->dir), "%.500s/broker", absolute);
		r = mkdir(f->dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
	}
	struct stat st;
	if (r == 0 && (lstat(f->dir, &st) < 0 || !S_ISDIR(st.st_mode) || chmod(f->dir, 0700) < 0)) {
		r = -ENOTDIR;
	}
	if (r < 0) {
		return gw_error_set(reterr_, r, "broker",
				    "cannot use the directory broker in %s: %s", state_dir,
				    strerror(-r));
	}
	int n = snprintf(f->socket, sizeof(f->socket), "%s/mosquitto.sock", f->dir);
	/* mosquitto takes the path of a socket, unlike those of files, only up to a blank. */
	if (n < 0 || (size_t)n >= sizeof(f->socket) || strchr(f->socket, ' ')) {
		f->socket[0] = '\0';
	}
	for (enum gw_broker_account i = 0; i < GW_BROKER_ACCOUNTS && r == 0; i++) {
		if (accounts[i].file) {
			r = keep_password(f, i, reterr_);
		} else if ((r = make_password(f->password[i])) < 0) {
			(void)gw_error_set(reterr_, r, "broker",
					   "the system gives no random numbers");
		}
	}
	return r;
}

static void write_conf(const struct gw_broker_files *f, struct gw_buf *b)
{
	gw_buf_puts(b, "# Written by hearthd at each start; changes are lost.\n"
		       "per_listener_settings false\n");
	gw_buf_printf(b, "listener %u %s\n", f->listen_port, f->listen_host);
	if (f->socket[0]) {
		gw_buf_printf(b, "listener 0 %s\n", f->socket);
	}
	gw_buf_printf(b, "allow_anonymous false\npassword_file %s/passwords\nacl_file %s/acl\n",
		      f->dir, f->dir);
	/* Our store is the truth (R25). $SYS is nobody's concern, and its timer would wake a quiet machine. */
	gw_buf_puts(b, "persistence false\n"
		       "sys_interval 0\n"
		       "set_tcp_nodelay true\n");
	gw_buf_printf(b, "max_packet_size %d\n", GW_DESCRIPTION_BYTES + GW_BODY_BYTES);
	/* A burst of a thousand devices must find room (mosquitto drops QoS 0 above this), a stuck client must not fill the memory. */
	gw_buf_puts(b, "max_queued_messages 10000\n"
		       "log_dest stderr\n"
		       "log_timestamp false\n"
		       "log_type error\n"
		       "log_type warning\n"
		       "log_type notice\n");
	if (geteuid() == 0) {
		gw_buf_puts(
			b,
			"user root\n"); /* else it becomes `mosquitto`, which cannot read these files */
	}
}

int gw_broker_files_write(const struct gw_broker_files *f, char *ret_conf, size_t cap,
			  struct gw_error *reterr_)
{
	GW_AUTO(gw_buf_fini) struct gw_buf conf = GW_BUF_INIT(FILE_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf acl = GW_BUF_INIT(FILE_BYTES);
	GW_AUTO(gw_buf_fini) struct gw_buf hashes = GW_BUF_INIT(FILE_BYTES);
	int r = 0;
	write_conf(f, &conf);
	for (enum gw_broker_account i = 0; i < GW_BROKER_ACCOUNTS && r == 0; i++) {
		r = add_hash(&hashes, accounts[i].name, f->password[i]);
		gw_buf_printf(&acl, "user %s\n%s\n", accounts[i].name, accounts[i].rules);
	}
	if (r == 0 && (gw_buf_error(&conf) || gw_buf_error(&acl) || gw_buf_error(&hashes))) {
		r = -ENOMEM;
	}
	if (r < 0) {
		return gw_error_set(reterr_, r, "broker", "cannot prepare the broker's files: %s",
				    strerror(-r));
	}
	r = replace_file(f, "passwords", gw_buf_str(&hashes), /* durable= */ false, reterr_);
	if (r == 0) {
		r = replace_file(f, "acl", gw_buf_str(&acl), /* durable= */ false, reterr_);
	}
	if (r == 0) {
		r = replace_file(f, "mosquitto.conf", gw_buf_str(&conf), /* durable= */ false,
				 reterr_);
	}
	if (r == 0) {
		r = file_path(f, "mosquitto.conf", ret_conf, cap);
	}
	return r;
}
