/* course_find.c - which exercises a student's words mean. */
#include "course.h"

#include "memory.h"
#include "nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum fit {
    FIT_NONE,
    FIT_ID_PART, /* the id contains the words; or the words are a path that contains the id */
    FIT_PART,    /* its name contains the words: that is what people mean by "lock" in 02-locks */
    FIT_CHAPTER, /* the words name its chapter */
    FIT_NAME,    /* the words are its name */
    FIT_ID,      /* the words are its id */
};

static bool is_chapter(const char *chapter, const char *words, size_t length)
{
    const char *topic = chapter + strspn(chapter, "0123456789");
    size_t number = (size_t)(topic - chapter);

    if (strlen(chapter) == length && strncasecmp(chapter, words, length) == 0)
        return true;
    if (number > 0 && number == length && strncmp(chapter, words, length) == 0)
        return true;
    topic += *topic == '-';
    return *topic != '\0' && strlen(topic) == length && strncasecmp(topic, words, length) == 0;
}

static enum fit fit_of(const struct exercise *exercise, const char *words)
{
    size_t length = strlen(words);

    if (length > 1 && words[length - 1] == '/')
        length--;
    if (length == strlen(exercise->id) && strncasecmp(exercise->id, words, length) == 0)
        return FIT_ID;
    if (length == strlen(exercise->name) && strncasecmp(exercise->name, words, length) == 0)
        return FIT_NAME;
    if (is_chapter(exercise->chapter, words, length))
        return FIT_CHAPTER;
    if (length > 0 && strcasestr(exercise->name, words) != NULL)
        return FIT_PART;
    if (length > 0 && strcasestr(exercise->id, words) != NULL)
        return FIT_ID_PART;
    /* exercises/02-locks/rlock/rlock.c, as a shell completes it */
    const char *in_path = strcasestr(words, exercise->id);
    if (in_path != NULL && strchr("/.", in_path[strlen(exercise->id)]) != NULL &&
        (in_path == words || in_path[-1] == '/'))
        return FIT_ID_PART;
    return FIT_NONE;
}

/* As fit_of; a chapter is only as good as a part of the id where one exercise is asked for. */
static enum fit fit_as(const struct exercise *exercise, const char *words, bool chapters)
{
    enum fit fit = fit_of(exercise, words);

    return fit == FIT_CHAPTER && !chapters ? FIT_ID_PART : fit;
}

/* How well the words fit what they fit best, and how many fit as well. */
static enum fit best_fit(const struct course *course, const char *words, bool chapters, size_t *count)
{
    enum fit best = FIT_NONE;

    *count = 0;
    for (size_t i = 0; i < course->count; i++) {
        enum fit fit = fit_as(&course->exercises[i], words, chapters);

        if (fit > best) {
            best = fit;
            *count = 0;
        }
        *count += fit == best;
    }
    return best;
}

static int fault_none(const struct course *course, const char *words, struct fault *fault)
{
    const char **names = memory_zeroed(NULL, course->count * 3, sizeof *names);
    const char *part = strrchr(words, '/');

    for (size_t i = 0; i < course->count; i++) {
        names[3 * i] = course->exercises[i].name;
        names[3 * i + 1] = course->exercises[i].id;
        names[3 * i + 2] = course->exercises[i].chapter;
    }
    const char *near = nearest_word(words, names, course->count * 3);
    if (near == NULL && part != NULL)
        near = nearest_word(part + 1, names, course->count * 3);
    if (near != NULL)
        fault_set(fault, "exercises: there is no '%.80s'. Did you mean %s?", words, near);
    else
        fault_set(fault, "exercises: there is no '%.80s'. `grade list` shows all there are.", words);
    talloc_free(names);
    return -1;
}

static int fault_several(const struct course *course, const char *words, enum fit best, bool chapters,
                         struct fault *fault)
{
    char list[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < course->count; i++) {
        if (fit_as(&course->exercises[i], words, chapters) != best)
            continue;
        int more = snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "", course->exercises[i].id);
        if (more < 0 || (size_t)more >= sizeof list - used - 8) {
            snprintf(list + used, sizeof list - used, ", …");
            break;
        }
        used += (size_t)more;
    }
    return fault_set(fault, "exercises: '%.80s' fits %s. Say more of the name.", words, list);
}

const struct exercise *course_find(const struct course *course, const char *words, struct fault *fault)
{
    size_t count;
    enum fit best = best_fit(course, words, false, &count);

    if (best == FIT_NONE) {
        fault_none(course, words, fault);
        return NULL;
    }
    if (count > 1) {
        fault_several(course, words, best, false, fault);
        return NULL;
    }
    for (size_t i = 0; i < course->count; i++) {
        if (fit_as(&course->exercises[i], words, false) == best)
            return &course->exercises[i];
    }
    return NULL; /* not reached: the best fit is somebody's */
}

const struct exercise **course_select(void *context, const struct course *course, const char *words,
                                      struct fault *fault)
{
    size_t count, kept = 0;
    enum fit best = best_fit(course, words, true, &count);

    if (best == FIT_NONE) {
        fault_none(course, words, fault);
        return NULL;
    }
    if (count > 1 && best != FIT_CHAPTER) {
        fault_several(course, words, best, true, fault);
        return NULL;
    }
    const struct exercise **selected = memory_zeroed(context, count + 1, sizeof(struct exercise *));
    for (size_t i = 0; i < course->count; i++) {
        if (fit_of(&course->exercises[i], words) == best)
            selected[kept++] = &course->exercises[i];
    }
    return selected;
}
