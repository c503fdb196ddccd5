#include "nearest.h"

#include <ctype.h>
#include <string.h>

enum { LENGTH_MAX = 64 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int letter(const char *text, size_t i)
{
    return tolower((unsigned char)text[i]);
}

int nearest_distance(const char *a, const char *b)
{
    int rows[3][LENGTH_MAX + 1];
    size_t a_length = strnlen(a, LENGTH_MAX), b_length = strnlen(b, LENGTH_MAX);
    int *before = rows[0], *last = rows[1], *now = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        before[j] = last[j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        now[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            int differs = letter(a, i - 1) != letter(b, j - 1);

            now[j] = least(last[j - 1] + differs, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && letter(a, i - 1) == letter(b, j - 2) && letter(a, i - 2) == letter(b, j - 1))
                now[j] = least(now[j], before[j - 2] + 1);
        }
        int *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b_length];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
    const char *best = NULL;
    int best_distance = 1 + (int)(strnlen(word, LENGTH_MAX) + 2) / 3;

    for (size_t i = 0; i < count; i++) {
        int distance = nearest_distance(word, words[i]);

        if (distance < best_distance) {
            best_distance = distance;
            best = words[i];
        }
    }
    return best;
}
