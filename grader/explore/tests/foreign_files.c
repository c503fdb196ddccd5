/* Files: read, written and read again within a run, and none of it reaches the disk; a name of the system's that is no
 * plain file, and the standard input, are not modelled.
 * explore: => everything
 * explore: -DSHARED => assertion within 5
 * explore: -DCLOSED => misuse within 5
 * explore: -DINPUT => status 2 standard.input
 * explore: -DDEVICE => status 2 /dev/zero */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char path[] = "interleave_test_file.txt";
static FILE *shared;

static void write_it(void)
{
    FILE *file = fopen(path, "w");
    assert(file && fprintf(file, "%d %s\n", 12, "one") == 7 && fputs("second line\n", file) >= 0);
    assert(fclose(file) == 0);
    file = fopen(path, "a");
    assert(file && fputc('x', file) == 'x' && fwrite("yz", 1, 2, file) == 2 && fclose(file) == 0);
    assert(access(path, F_OK) == -1 && fopen(path, "wx") == NULL && errno == EEXIST);
}

static void read_it(void)
{
    int number = 0;
    char word[10], line[20], *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    assert(file && fscanf(file, "%d %9s ", &number, word) == 2 && number == 12 && strcmp(word, "one") == 0);
    assert(fgets(line, sizeof line, file) && strcmp(line, "second line\n") == 0);
    assert(getc(file) == 'x' && ungetc('x', file) == 'x' && fread(line, 1, 9, file) == 3 && feof(file));
    rewind(file);
    assert(getline(&text, &size, file) == 7 && strcmp(text, "12 one\n") == 0);
    assert(fseek(file, -2, SEEK_END) == 0 && fgetc(file) == 'y' && ftell(file) == 21);
    free(text);
    assert(fclose(file) == 0 && remove(path) == 0 && remove(path) == -1 && fopen(path, "r") == NULL);
    file = fopen(path, "w+");
    assert(file && fputs("kept", file) >= 0 && unlink(path) == 0 && fopen(path, "r") == NULL);
    rewind(file);
    assert(fgetc(file) == 'k' && fclose(file) == 0);
    assert(fopen("no/such/folder/file", "w") == NULL && errno == ENOENT);
}

static void of_the_disk(void)
{
    char line[100];
    FILE *file = fopen("/proc/self/no_such_file", "r");
    assert(file == NULL && errno == ENOENT);
    file = fopen("/etc/passwd", "r");
    assert(file && fgets(line, sizeof line, file) && strchr(line, ':') && fclose(file) == 0);
    file = tmpfile();
    assert(file && fputs("abc", file) >= 0 && fseek(file, 1, SEEK_SET) == 0 && fgetc(file) == 'b' && fclose(file) == 0);
    file = fopen("/dev/null", "w");
    assert(file && fputs("gone", file) >= 0 && fclose(file) == 0);
}

static void *work(void *argument)
{
#ifdef SHARED
    assert(fgetc(shared) == (argument ? '1' : '2')); /* the other may be the first */
#else
    int byte = fgetc(shared);
    assert(byte == '1' || byte == '2');
#endif
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    fflush(stdin);
    write_it();
    read_it();
    of_the_disk();
#ifdef DEVICE
    shared = fopen("/dev/zero", "r");
#endif
#ifdef INPUT
    assert(fgetc(stdin) != EOF);
#endif
    shared = tmpfile();
    assert(fputs("12", shared) >= 0);
    rewind(shared);
#ifdef CLOSED
    fclose(shared);
#endif
    pthread_create(&threads[0], NULL, work, threads);
    pthread_create(&threads[1], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
#ifndef CLOSED
    fclose(shared);
#endif
    return 0;
}
