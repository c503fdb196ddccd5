/* cache.h - what was made once and need not be made again, kept by content.
 *
 * The cache is a flat folder. A kept file's name is the SHA-256 of everything it was made from, so it is never wrong
 * and never changes; nothing needs to be invalidated. It is written under a temporary name first, so it is whole or
 * absent, however a grader ends; graders that run at the same time may keep the same thing, and the first one's file
 * stays, so that a program which somebody runs from here is not taken away from under it. Kept files that nobody asked
 * for lately go first when the folder grows over its limit; one that was asked for within the last hour never goes, so
 * a path from here is good for a grading.
 *
 *     struct cache_key key;
 *     cache_key_begin(&key);
 *     cache_key_text(&key, "what this is");
 *     if (cache_key_file(&key, "/what/it/is/made/from", fault) != 0) …
 *     const char *name = cache_key_name(context, &key);
 *     const char *path = cache_find(context, cache_dir, name);
 *     if (path == NULL) { make it; cache_keep(context, cache_dir, name, made, &path, fault); }
 *
 * Calls block on the disk only. Any process and thread may call.
 */
#ifndef GRADE_CACHE_H
#define GRADE_CACHE_H

#include "fault.h"

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_LIMIT_BYTES ((uint64_t)1 << 30)

struct cache_key {
    struct sha256_ctx hash;
};

void cache_key_begin(struct cache_key *key);

/* Adds a text (NULL differs from ""); parts cannot run into each other. */
void cache_key_text(struct cache_key *key, const char *text);

/* Adds the bytes of a file, not its name. */
int cache_key_file(struct cache_key *key, const char *path, struct fault *fault);

/* Adds path, size and time of change of a file that is too large to read each time (a compiler); of one that is not
 * there, that it is not. */
void cache_key_identity(struct cache_key *key, const char *path);

/* The name: 64 hexadecimal digits, owned by `context`. The key is used up. */
char *cache_key_name(void *context, struct cache_key *key);

/* The path of what is kept under this name, or NULL; owned by `context`. */
const char *cache_find(void *context, const char *cache_dir, const char *name);

/* Moves (or copies) the file `made` into the cache, with its permissions; makes the folder where it is missing. A full
 * disk and the like are faults, and leave nothing half. `*path` is owned by `context`. */
int cache_keep(void *context, const char *cache_dir, const char *name, const char *made, const char **path,
               struct fault *fault);

/* The same for a small text, but that it takes the place of one that is there, which may not have been readable. */
int cache_keep_text(void *context, const char *cache_dir, const char *name, const char *text, struct fault *fault);

/* The text kept under this name, or NULL where there is none; owned by `context`. */
char *cache_text(void *context, const char *cache_dir, const char *name);

/* Removes what was not asked for longest until at most three quarters of `limit_bytes` are left, and what killed
 * graders left behind. cache_keep does this by itself now and then. */
void cache_trim(const char *cache_dir, uint64_t limit_bytes);

#endif
