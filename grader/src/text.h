/* text.h - strangers' bytes made fit for a screen: escaping, width in columns, wrapping, cutting.
 *
 * Everything that is printed goes through text_clean first; the other functions take its result. All returned texts
 * belong to `context`. Nothing here blocks, fails, keeps state or looks at the locale; any thread may call.
 * Widths follow Unicode's East Asian Width (wide and fullwidth: 2; combining and format characters: 0; others: 1).
 */
#ifndef GRADE_TEXT_H
#define GRADE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* `size` bytes as text that cannot command a terminal: valid UTF-8, '\n' the only control character. A tab becomes four
 * spaces, "\r\n" a newline; other control characters and the invisible ones that reorder a line are shown as C writes
 * them ("\x1b", "\0", "\u202e"); a broken sequence becomes U+FFFD. Without `utf8` all is ASCII: typographic signs by
 * their likeness ("...", "-", "'"), others '?'. */
char *text_clean_n(void *context, const char *bytes, size_t size, bool utf8);

/* The same of a string; NULL gives "". */
char *text_clean(void *context, const char *text, bool utf8);

/* Columns of the longest line of clean text. */
int text_width(const char *text);

/* Lines of clean text: newlines, and one more for what follows the last of them. "" has none. */
int text_lines(const char *text);

/* Clean text wrapped at spaces to lines of at most `width` columns; words that are longer are broken. The first line
 * has `used` columns taken by what the caller puts before it; all others begin with `hang` spaces. Newlines
 * in `text` stay. No newline at the end. A width that leaves less than 10 columns is taken as 10 more than the indent.
 */
char *text_wrap(void *context, const char *text, int width, int used, int hang);

/* One line of clean text, cut to `width` columns; what was cut is replaced by a sign: "…", or "..." without utf8. */
char *text_cut(void *context, const char *text, int width, bool utf8);

/* The same between two words, for sentences; only a word of more than 24 bytes is cut in two. */
char *text_cut_words(void *context, const char *text, int width, bool utf8);

/* The first `count` lines of clean text, without the newline at the end. */
char *text_first_lines(void *context, const char *text, int count);

/* Clean text with spaces behind it, up to `columns`. */
char *text_padded(void *context, const char *text, int columns);

#endif
