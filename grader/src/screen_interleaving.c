#include "screen_interleaving.h"

#include "memory.h"
#include "text.h"

#include <limits.h>
#include <string.h>

/* A line of the table has a cell of one thread only, which may go on to the end of the line: columns stand close
 * together, so that the last one has room too. */
enum {
    COLUMN_LEAST = 22,
    COLUMN_MOST = 24,
    INDENT = 2,
    ROOM_LEAST = 4,
    NAME_WIDTH = 11,
    CONTINUED = 3,
    NEAR = 200,
    PROOF_GAP = 3,
    PROOF_LEAST = 36
};

/* One line of one thread. */
struct cell {
    int thread;
    bool source; /* a line of code; else what it does there */
    bool own;    /* …of the student's */
    char *text;
};

struct table {
    struct page *page;
    const struct interleaving *order;
    struct cell *cells;
    size_t count;
    int *columns; /* threads, in their order */
    int column_count;
    int width;     /* of a column; 0: no columns */
    bool whole;    /* nothing is left out for want of room */
    size_t before; /* lines that were left out before the first cell */
};

/* ---- which steps ------------------------------------------------------------------------------------------------- */

static bool is_access(const struct step *step)
{
    return strcmp(step->does, "reads") == 0 || strcmp(step->does, "writes") == 0;
}

/* What the scenario itself reads and writes is no news. */
static bool is_shown(const struct step *step)
{
    return step->source != NULL || !is_access(step);
}

static bool same_object(const struct step *one, const struct step *other)
{
    return one->number > 0 && one->number == other->number;
}

/* Where there is little room: what threads do to each other. An access tells where another thread uses the same near
 * it, and one of the two writes; of what the scenario does itself, only the last step. */
static bool is_telling(const struct interleaving *order, size_t index)
{
    const struct step *step = &order->steps[index];
    size_t first = index > NEAR ? index - NEAR : 0,
           end = index + NEAR < order->step_count ? index + NEAR : order->step_count;

    if (index + 1 == order->step_count)
        return true;
    if (!is_access(step))
        return step->source != NULL;
    for (size_t i = first; i < end; i++) {
        const struct step *other = &order->steps[i];

        if (other->thread != step->thread && same_object(other, step) &&
            (strcmp(step->does, "writes") == 0 || strcmp(other->does, "reads") != 0))
            return true;
    }
    return false;
}

/* ---- their words ------------------------------------------------------------------------------------------------- */

static void cell_add(struct table *table, const struct step *step, bool source, char *text)
{
    table->cells = memory_grown(table->page->context, table->cells, table->count + 1, sizeof *table->cells);
    table->cells[table->count++] = (struct cell){step->thread, source, source && step->source != NULL, text};
}

/* Does what it does read as a sentence, so that the object is said in parentheses? "wakes as its time is over
 * (q->filled)"
 */
static bool is_complete(const struct step *step)
{
    static const char *const sentences[] = {"wakes though nobody signalled", "wakes as its time is over",
                                            "the wait's time is over at once"};

    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (strcmp(step->does, sentences[i]) == 0)
            return true;
    return false;
}

/* "wakes thread 3 (q->not_empty)" */
static char *deed(const struct page *page, const struct step *step)
{
    void *context = page->context;
    char *object = page_clean_line(page, step->object), *text = page_clean_line(page, step->does);

    if (step->other > 0 && strstr(text, "thread") == NULL)
        text = memory_format(context, "%s thread %d", text, step->other);
    if (*object != '\0')
        text = memory_format(context, step->other > 0 || is_complete(step) ? "%s (%s)" : "%s %s", text, object);
    return text;
}

static bool same_line(const struct step *a, const struct step *b)
{
    return a != NULL && a->thread == b->thread && a->line == b->line && a->file != NULL &&
           strcmp(a->file, b->file) == 0;
}

/* "31 c->value += n;"; of the scenario's, which the student need not know by heart, the place: "scenario.c:31". */
static char *line_of(const struct page *page, const struct step *step)
{
    if (step->source == NULL)
        return memory_format(page->context, "%s:%d", page_clean_line(page, step->file), step->line);
    return memory_format(page->context, "%d %s", step->line, page_clean_line(page, step->source));
}

static void cells_make(struct table *table)
{
    const struct page *page = table->page;
    const struct step *before = NULL;

    for (size_t i = 0; i < table->order->step_count; i++) {
        const struct step *step = &table->order->steps[i];

        if (!is_shown(step) || (!table->whole && !is_telling(table->order, i)))
            continue;
        if (step->file != NULL && !same_line(before, step))
            cell_add(table, step, true, line_of(page, step));
        if (!is_access(step))
            cell_add(table, step, false, deed(page, step));
        before = step;
    }
}

/* ---- what meets ---------------------------------------------------------------------------------------------------
 */

/* The last line of the student's that another thread than the one of the last cell ran; table->count: there is none. */
static size_t other_line(const struct table *table)
{
    for (size_t i = table->count; i-- > 0;)
        if (table->cells[i].own && table->cells[i].thread != table->cells[table->count - 1].thread)
            return i;
    return table->count;
}

/* Where the last cells, as many as there is room for, are all of one thread, nobody would see what came in between: so
 * the other one's last line is kept, and the lines from there to the end are folded. */
static void meeting_keep(struct table *table, size_t room)
{
    size_t at = other_line(table), end = at + 1;

    while (end < table->count && !table->cells[end].source && table->cells[end].thread == table->cells[at].thread)
        end++;
    if (at == table->count || table->count - at <= room || end - at + 4 > room)
        return;
    size_t tail = table->count - (room - (end - at) - 2); /* a line for the fold, one for what is left out before */
    while (tail < table->count - 1 && !table->cells[tail].source)
        tail++;
    struct cell *cells = memory_zeroed(table->page->context, room, sizeof *cells);
    size_t count = 0;

    for (size_t i = at; i < end; i++)
        cells[count++] = table->cells[i];
    cells[count++] = (struct cell){
        table->cells[tail].thread, true, false,
        memory_format(table->page->context, "%s %zu lines", table->page->screen->utf8 ? "…" : "...", tail - end)};
    for (size_t i = tail; i < table->count; i++)
        cells[count++] = table->cells[i];
    table->cells = cells;
    table->count = count;
    table->before = at;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static int column_of(const struct table *table, int thread)
{
    for (int i = 0; i < table->column_count; i++)
        if (table->columns[i] == thread)
            return i;
    return -1;
}

/* A thread has a column where a line of the student's that it runs is among the cells from `first` on. */
static bool has_line(const struct table *table, size_t first, int thread)
{
    for (size_t i = first; i < table->count; i++)
        if (table->cells[i].thread == thread && table->cells[i].own)
            return true;
    return false;
}

/* Chooses the columns by what is shown in `room` lines, and drops the cells of all others. */
static void columns_find(struct table *table, size_t room)
{
    void *context = table->page->context;
    const struct interleaving *order = table->order;
    size_t first = table->count > room ? table->count - room : 0, kept = 0;

    table->columns = memory_zeroed(context, order->thread_count, sizeof *table->columns);
    for (size_t i = 0; i < order->thread_count; i++)
        if (has_line(table, first, order->threads[i].number))
            table->columns[table->column_count++] = order->threads[i].number;
    for (size_t i = 0; i < table->count; i++)
        if (column_of(table, table->cells[i].thread) >= 0)
            table->cells[kept++] = table->cells[i];
    table->count = kept;
    if (table->column_count > 0)
        table->width = (table->page->screen->width - INDENT) / table->column_count;
    if (table->width > COLUMN_MOST)
        table->width = COLUMN_MOST;
    if (table->width < COLUMN_LEAST)
        table->width = 0;
}

/* ---- the lines --------------------------------------------------------------------------------------------------- */

static char *name_of(const struct table *table, int thread)
{
    const struct interleaving *order = table->order;

    for (size_t i = 0; i < order->thread_count; i++)
        if (order->threads[i].number == thread && order->threads[i].body != NULL && *order->threads[i].body != '\0')
            return memory_format(table->page->context, "thread %d, %s", thread,
                                 page_clean_line(table->page, order->threads[i].body));
    return memory_format(table->page->context, "thread %d", thread);
}

static void heads_line(struct table *table)
{
    struct page *page = table->page;
    char *line = memory_text(page->context, "");

    for (int i = 0; i < table->column_count; i++) {
        char *name = text_cut(page->context, name_of(table, table->columns[i]), table->width - 1, page->screen->utf8);
        bool last = i == table->column_count - 1;

        line = memory_append(page->context, line, "%s", last ? name : text_padded(page->context, name, table->width));
    }
    page_line(page, "%*s%s", INDENT, "", page_paint(page, PAINT_STRONG, line));
}

/* The cell's text behind `start`, which ends in column `margin`. Where all is shown, what is too long goes on below. */
static void cell_write(struct table *table, const char *start, int margin, const struct cell *cell)
{
    struct page *page = table->page;
    const char *arrow = page->screen->utf8 ? "  → " : "  > ", *lead = cell->source ? "" : arrow;
    int width = page->screen->width - margin - text_width(lead), hang = cell->source ? CONTINUED : 0;

    if (!table->whole) {
        page_line(page, "%s%s%s", start, lead, text_cut(page->context, cell->text, width, page->screen->utf8));
        return;
    }
    char *rest = text_wrap(page->context, cell->text, width, 0, hang);

    page_line(page, "%s%s%s", start, lead, strsep(&rest, "\n"));
    while (rest != NULL)
        page_line(page, "%*s%s", margin + text_width(lead), "", strsep(&rest, "\n"));
}

static void cell_line(struct table *table, const struct cell *cell, bool names)
{
    struct page *page = table->page;

    if (table->width > 0) {
        int column = column_of(table, cell->thread), margin = INDENT + column * table->width;

        cell_write(table, memory_format(page->context, "%*s", margin, ""), margin, cell);
        return;
    }
    char *name = names ? memory_format(page->context, "thread %d", cell->thread) : memory_text(page->context, "");
    cell_write(table, memory_format(page->context, "%*s%s", INDENT, "", text_padded(page->context, name, NAME_WIDTH)),
               INDENT + NAME_WIDTH, cell);
}

static void lines_add(struct table *table, size_t first)
{
    for (size_t i = first; i < table->count; i++)
        cell_line(table, &table->cells[i], i == first || table->cells[i - 1].thread != table->cells[i].thread);
}

void screen_interleaving(struct page *page, const struct interleaving *order, int room)
{
    struct table table = {.page = page, .order = order, .whole = room > INT_MAX / 2};

    if (room < ROOM_LEAST)
        return;
    cells_make(&table);
    if (!table.whole)
        meeting_keep(&table, (size_t)room - 1);
    columns_find(&table, (size_t)room);
    if (table.count == 0)
        return;
    room -= table.width > 0;
    size_t first = table.count > (size_t)room ? table.count - (size_t)room + 1 : 0;
    /* what is done belongs below its line */
    while (first > 0 && first < table.count - 1 && !table.cells[first].source)
        first++;
    if (table.width > 0)
        heads_line(&table);
    if (first + table.before > 0)
        page_line(page, "%*s%s", INDENT, "",
                  page_paint(page, PAINT_QUIET,
                             memory_format(page->context, "%s %zu lines before these", page->screen->utf8 ? "…" : "...",
                                           first + table.before)));
    lines_add(&table, first);
    if (order->left_out > 0)
        page_line(page, "%*sand %ld more step%s", INDENT, "", order->left_out, order->left_out == 1 ? "" : "s");
}

/* The words stand beside the name, and go on below themselves; where that leaves too little room, below the name. */
static void proof_lines(struct page *page, const struct proof *proof, int widest)
{
    char *name = page_clean_line(page, proof->scenario), *text = page_clean_line(page, proof->text);
    const char *sign = page_sign(page->screen, SIGN_PASSED);
    int margin = INDENT + text_width(sign) + 1 + widest + PROOF_GAP;
    bool beside = page->screen->width - margin >= PROOF_LEAST;

    if (!beside)
        margin = INDENT + text_width(sign) + 1;
    char *lines = text_wrap(page->context, text, page->screen->width, margin, margin);

    if (beside)
        page_line(page, "%*s%s %s%*s%s", INDENT, "", sign, text_padded(page->context, name, widest), PROOF_GAP, "",
                  lines);
    else
        page_line(page, "%*s%s %s\n%*s%s", INDENT, "", sign, name, margin, "", lines);
}

void screen_proofs(struct page *page, const struct proof *proofs, size_t count)
{
    int widest = 0;

    for (size_t i = 0; i < count; i++) {
        int width = text_width(page_clean_line(page, proofs[i].scenario));

        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < count; i++)
        proof_lines(page, &proofs[i], widest);
}
