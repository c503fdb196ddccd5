/* lines.c - see lines.h. */
#include "lines.h"

#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    int file;
    Elf *elf;
    Dwarf *dwarf;
    size_t base;
} lines = {.file = -1};

int lines_open(const char *path, size_t base)
{
    elf_version(EV_CURRENT);
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

bool lines_place(const void *pc, struct place *place)
{
    *place = (struct place){.file = ""};
    if (!pc || !lines.dwarf)
        return false;
    Dwarf_Addr at = (Dwarf_Addr)((size_t)pc - 1 - lines.base);
    Dwarf_Die unit;
    if (!dwarf_addrdie(lines.dwarf, at, &unit))
        return false;
    Dwarf_Line *line = dwarf_getsrc_die(&unit, at);
    const char *path = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (!path || dwarf_lineno(line, &place->line))
        return false;
    const char *slash = strrchr(path, '/');
    place->file = slash ? slash + 1 : path;
    read_line(path, place->line, place->text, sizeof place->text);
    if (lines_symbol((const char *)pc - 1, place->function, sizeof place->function))
        place->function[strcspn(place->function, "+.")] = '\0';
    return true;
}
