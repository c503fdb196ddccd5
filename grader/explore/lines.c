/* lines.c - see lines.h. */
#include "lines.h"

#include <dwarf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACES = 1 << 13 };

struct known {
    const void *pc;
    struct place place;
};

static struct {
    struct known *places; /* by pc, open addressing */
    int file;
    Elf *elf;
    Dwarf *dwarf;
    size_t base;
} lines = {.file = -1};

int lines_open(const char *path, size_t base)
{
    elf_version(EV_CURRENT);
    lines.places = calloc(PLACES, sizeof *lines.places); /* without it, each look reads again */
    lines.base = base;
    lines.file = open(path, O_RDONLY | O_CLOEXEC);
    if (lines.file < 0)
        return -1;
    lines.elf = elf_begin(lines.file, ELF_C_READ_MMAP, NULL);
    lines.dwarf = lines.elf ? dwarf_begin_elf(lines.elf, DWARF_C_READ, NULL) : NULL;
    return lines.dwarf ? 0 : -1;
}

void lines_close(void)
{
    if (lines.dwarf)
        dwarf_end(lines.dwarf);
    if (lines.elf)
        elf_end(lines.elf);
    if (lines.file >= 0)
        close(lines.file);
    free(lines.places);
    lines.places = NULL;
    lines.dwarf = NULL;
    lines.elf = NULL;
    lines.file = -1;
}

static void read_line(const char *path, int wanted, char *text, size_t size)
{
    text[0] = '\0';
    FILE *file = fopen(path, "re");
    char line[400];
    for (int number = 1; file && fgets(line, sizeof line, file); number++) {
        if (number != wanted)
            continue;
        const char *start = line + strspn(line, " \t");
        size_t length = strcspn(start, "\r\n");
        snprintf(text, size, "%.*s", (int)length, start);
        break;
    }
    if (file)
        fclose(file);
}

bool lines_symbol(const void *address, char *text, size_t size)
{
    Elf_Scn *section = NULL;
    GElf_Addr wanted = (GElf_Addr)((size_t)address - lines.base);
    while (lines.elf && (section = elf_nextscn(lines.elf, section)) != NULL) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB || header.sh_entsize == 0)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        for (int i = 0; data && i < (int)(header.sh_size / header.sh_entsize); i++) {
            GElf_Sym symbol;
            if (!gelf_getsym(data, i, &symbol) || symbol.st_shndx == SHN_UNDEF || wanted < symbol.st_value ||
                wanted >= symbol.st_value + symbol.st_size || GELF_ST_TYPE(symbol.st_info) == STT_TLS)
                continue;
            const char *name = elf_strptr(lines.elf, header.sh_link, symbol.st_name);
            if (strcmp(name, "il_program_main") == 0)
                name = "main";
            if (wanted == symbol.st_value)
                snprintf(text, size, "%s", name);
            else
                snprintf(text, size, "%s+%lu", name, (unsigned long)(wanted - symbol.st_value));
            return true;
        }
    }
    return false;
}

/* Not dwarf_addrdie: that needs a table (.debug_aranges) which clang does not write. */
bool lines_unit(unsigned long address, Dwarf_Die *unit)
{
    Dwarf_Off at = 0, next;
    size_t head;
    for (; lines.dwarf && dwarf_nextcu(lines.dwarf, at, &next, &head, NULL, NULL, NULL) == 0; at = next)
        if (dwarf_offdie(lines.dwarf, at + head, unit) && dwarf_haspc(unit, address) == 1)
            return true;
    return false;
}

/* The function that the source says, though the compiler may have put it into another. */
static void read_function(Dwarf_Die *unit, Dwarf_Addr at, struct place *place)
{
    Dwarf_Die *scopes = NULL;
    int n = dwarf_getscopes(unit, at, &scopes);
    for (int i = 0; i < n; i++) {
        int tag = dwarf_tag(&scopes[i]);
        const char *name = dwarf_diename(&scopes[i]);
        Dwarf_Addr entry;
        if ((tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) && name && !place->function[0])
            snprintf(place->function, sizeof place->function, "%s", name);
        if (tag == DW_TAG_subprogram && dwarf_lowpc(&scopes[i], &entry) == 0)
            place->entry = entry;
    }
    free(scopes);
}

static void read_place(const void *pc, struct place *place)
{
    *place = (struct place){.file = ""};
    Dwarf_Addr at = (Dwarf_Addr)((size_t)pc - 1 - lines.base);
    Dwarf_Die unit;
    if (!pc || !lines_unit(at, &unit))
        return;
    Dwarf_Line *line = dwarf_getsrc_die(&unit, at);
    const char *path = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (!path || dwarf_lineno(line, &place->line))
        return;
    const char *slash = strrchr(path, '/');
    place->file = slash ? slash + 1 : path;
    read_line(path, place->line, place->text, sizeof place->text);
    read_function(&unit, at, place);
}

bool lines_place(const void *pc, struct place *place)
{
    size_t at = ((uintptr_t)pc * 0x9e3779b97f4a7c15ULL) >> 40 & (PLACES - 1);
    for (unsigned tries = 0; lines.places && tries < PLACES; tries++, at = (at + 1) & (PLACES - 1)) {
        struct known *known = &lines.places[at];
        if (known->pc && known->pc != pc)
            continue;
        if (!known->pc) {
            known->pc = pc;
            read_place(pc, &known->place);
        }
        *place = known->place;
        return place->line > 0;
    }
    read_place(pc, place);
    return place->line > 0;
}

Dwarf *lines_dwarf(void)
{
    return lines.dwarf;
}

size_t lines_base(void)
{
    return lines.base;
}
