/* light_libc.c - see light_libc.h. A folder bears the build ID of the library that its copies are of: after an upgrade
 * of the C library none fits any more, until `make` has made the next. */
#include "light_libc.h"

#include "memory.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

enum { ID_MAX = 64 };

struct found {
    unsigned char id[ID_MAX];
    size_t size; /* 0: not found */
};

/* Looks for the build ID among the notes of one segment. */
static void look_into(const unsigned char *notes, size_t size, struct found *found)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, notes, sizeof note);
        size_t name = (note.n_namesz + 3U) & ~(size_t)3,
               whole = sizeof note + name + ((note.n_descsz + 3U) & ~(size_t)3);

        if (whole > size)
            return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz <= ID_MAX &&
            memcmp(notes + sizeof note, "GNU", 4) == 0) {
            memcpy(found->id, notes + sizeof note + name, note.n_descsz);
            found->size = note.n_descsz;
            return;
        }
        notes += whole;
        size -= whole;
    }
}

/* The build ID of the C library that this process runs on. */
static struct found library_id(void)
{
    struct found found = {.size = 0};
    Dl_info where;

    if (dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &where) == 0)
        return found;
    const unsigned char *base = where.dli_fbase;
    ElfW(Ehdr) header;
    memcpy(&header, base, sizeof header);
    for (size_t i = 0; i < header.e_phnum && found.size == 0; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, base + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_NOTE)
            look_into(base + segment.p_vaddr, segment.p_memsz, &found);
    }
    return found;
}

const char *light_libc_dir(void *context, const char *root)
{
    struct found found = library_id();

    if (found.size == 0)
        return NULL;
    char *dir = memory_format(context, "%s/build/lib/", root);
    for (size_t i = 0; i < found.size; i++)
        dir = memory_append(context, dir, "%02x", found.id[i]);
    return access(memory_format(context, "%s/ld.so", dir), X_OK) == 0 ? dir : NULL;
}
