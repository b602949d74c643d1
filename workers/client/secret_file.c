/* The lock is on the folder: the file itself is another one after each change. */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

enum { LOCK_WAIT_MS = 10000, LOCK_PERIOD_MS = 20, PATH_BYTES_MAX = 4096 };

static char *copy(const char *text, size_t length)
{
	char *copied = strndup(text, length);
	if (copied == NULL)
		abort();
	return copied;
}

bool secret_file_open(struct secret_file *file, const char *path, struct why *why)
{
	*file = (struct secret_file){ .open_folder = -1 };
	file->path = realpath(path, NULL);
	if (file->path == NULL && errno != ENOENT)
		return because(why, "file", "%s: %s", path, strerror(errno));
	if (file->path == NULL)
		file->path = copy(path, PATH_BYTES_MAX);
	const char *slash = strrchr(file->path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - file->path);
	file->folder = slash == NULL ? copy(".", 1) : copy(file->path, length == 0 ? 1 : length);
	file->open_folder = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->open_folder >= 0)
		return true;
	because(why, "file", "the folder %s cannot be opened: %s", file->folder, strerror(errno));
	secret_file_close(file);
	return false;
}

void secret_file_close(struct secret_file *file)
{
	if (file->open_folder >= 0)
		close(file->open_folder);
	free(file->folder);
	free(file->path);
	*file = (struct secret_file){ .open_folder = -1 };
}

bool secret_file_lock(const struct secret_file *file, struct why *why)
{
	int64_t deadline_ms = clock_steady_ms() + LOCK_WAIT_MS;
	while (flock(file->open_folder, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return because(why, "file", "the folder %s cannot be locked: %s", file->folder, strerror(errno));
		if (clock_steady_ms() >= deadline_ms)
			return because(why, "timeout", "another program holds the lock on %s; try again when it is done",
				file->folder);
		poll(NULL, 0, LOCK_PERIOD_MS);
	}
	return true;
}

bool secret_file_exists(const struct secret_file *file)
{
	struct stat status;
	return lstat(file->path, &status) == 0;
}

static bool write_all(int descriptor, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t count = write(descriptor, text, length);
		if (count < 0 && errno != EINTR)
			return false;
		if (count > 0) {
			text += count;
			length -= (size_t)count;
		}
	}
	return true;
}

/* The new file's owner is the old one's. */
static bool keep_owner(const struct secret_file *file, int descriptor)
{
	struct stat old, new;
	if (lstat(file->path, &old) != 0)
		return errno == ENOENT;
	if (fstat(descriptor, &new) != 0)
		return false;
	return (old.st_uid == new.st_uid &&old.st_gid == new.st_gid)
		|| fchown(descriptor, old.st_uid, old.st_gid) == 0;
}

bool secret_file_replace(const struct secret_file *file, const void *text, size_t length, struct why *why)
{
	char beside[PATH_BYTES_MAX];
	int written = snprintf(beside, sizeof(beside), "%s.XXXXXX", file->path);
	if (written < 0 || (size_t)written >= sizeof(beside))
		return because(why, "file", "the path of %.40s... is too long", file->path);
	int descriptor = mkostemp(beside, O_CLOEXEC); /* makes it with mode 0600 */
	if (descriptor < 0)
		return because(why, "file", "no file can be made in %s: %s", file->folder, strerror(errno));
	bool is_good = keep_owner(file, descriptor) && fchmod(descriptor, S_IRUSR | S_IWUSR) == 0
		&& write_all(descriptor, text, length) && fsync(descriptor) == 0;
	is_good = is_good && rename(beside, file->path) == 0 && fsync(file->open_folder) == 0;
	if (!is_good) {
		because(why, "file", "%s cannot be replaced: %s", file->path, strerror(errno));
		unlink(beside);
	}
	close(descriptor);
	return is_good;
}
