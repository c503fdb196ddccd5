/* The library's functions on strings read and write the program's memory; some keep one place for all threads.
 * explore: => everything
 * explore: -DTOKENS => race within 5
 * explore: -DCALENDAR => race within 5
 * explore: -DRESULT => race within 50
 * explore: -DPRINTED => race within 5
 * explore: -DAPPENDED => race within 5
 * explore: -DCOPIED => race within 5
 * explore: -DTOO_LONG => heap within 5 */
#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char shared[40];

static int print(char *to, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(to, size, format, list);
    va_end(list);
    return length;
}

static void strings(void)
{
    char text[20], few[4] = "xyz";
    assert(print(text, sizeof text, "%s-%d", "ab", 12) == 5 && strcmp(text, "ab-12") == 0);
    assert(snprintf(few, sizeof few, "%d", 123456) == 6 && strcmp(few, "123") == 0 && snprintf(NULL, 0, "abc") == 3);
    assert(strcmp(strcat(text, "!"), "ab-12!") == 0 && strcmp(strncat(text, "3456", 2), "ab-12!34") == 0);
    assert(strncmp(text, "ab-99", 3) == 0 && strncmp(text, "ab-99", 4) < 0 && strncmp("a", "a", 9) == 0);
    assert(strchr(text, '-') == text + 2 && strchr(text, 'q') == NULL && *strchr(text, '\0') == '\0');
    assert(strstr(text, "12") == text + 3 && strcmp(strncpy(text, "cd", 6), "cd") == 0 && text[5] == '\0');
    assert(sprintf(text, "%.3f", 1.5) == 5 && strcmp(text, "1.500") == 0);
}

/* Under the lock all of it is right. */
static void *rightly(void *argument)
{
    char text[] = "one two  three";
    time_t now = 86400;
    unsigned n = 0;
    pthread_mutex_lock(&mutex);
    for (char *token = strtok(text, " "); token; token = strtok(NULL, " "))
        n += (unsigned)strlen(token);
    assert(n == 11 && strtok(NULL, " ") == NULL);
    assert(gmtime(&now)->tm_mday == 2 && localtime(&now)->tm_year == 70);
    assert(strncmp(asctime(gmtime(&now)), "Fri Jan  2", 10) == 0 && strlen(ctime(&now)) == 25);
    sprintf(shared, "%u", n);
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *wrongly(void *argument)
{
    time_t now = 86400;
    char text[] = "one two";
    (void)now;
    (void)text;
#if defined TOKENS
    for (char *token = strtok(text, " "); token; token = strtok(NULL, " "))
        assert(strlen(token) == 3);
#elif defined CALENDAR
    assert(strlen(ctime(&now)) == 25);
#elif defined RESULT
    pthread_mutex_lock(&mutex);
    const struct tm *broken = localtime(&now);
    pthread_mutex_unlock(&mutex);
    assert(broken->tm_year == 70);
#elif defined PRINTED
    snprintf(shared, sizeof shared, "%s", text);
#elif defined APPENDED
    strcat(shared, text);
#elif defined COPIED
    strncpy(shared, text, sizeof shared);
#elif defined TOO_LONG
    char *short_one = malloc(4);
    sprintf(short_one, "%s", text);
    free(short_one);
#endif
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    strings();
#if defined TOKENS || defined CALENDAR || defined RESULT || defined PRINTED || defined APPENDED || defined COPIED ||   \
    defined TOO_LONG
    void *(*body)(void *) = wrongly;
#else
    void *(*body)(void *) = rightly;
#endif
    (void)rightly;
    (void)wrongly;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, body, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
