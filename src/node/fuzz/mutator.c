/*
 * A custom mutator for AFL++ and libFuzzer: a pipe to `qcow2 fuzz --mutate`.
 *
 * AFL++:     cc -O2 -shared -fPIC -o mutator.so mutator.c
 *            AFL_CUSTOM_MUTATOR_LIBRARY=$PWD/mutator.so afl-fuzz ...
 * libFuzzer: link mutator.c with the target.
 *
 * The environment variable QCOW2 is the command, `qcow2` without it. A request is a u32 seed, a u32 of the most bytes that are
 * taken, a u32 length and the bytes; an answer is a u32 length and the bytes, in the order of bytes of a little-endian machine.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int to = -1, from = -1;

static void fail(const char *what)
{
    perror(what);
    abort();
}

static void start(void)
{
    int in[2], out[2];
    if (pipe(in) || pipe(out)) fail("pipe");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0) fail("dup2");
        close(in[1]);
        close(out[0]);
        execl("/bin/sh", "sh", "-c", "exec ${QCOW2:-qcow2} fuzz --mutate", (char *)0);
        fail("exec");
    }
    close(in[0]);
    close(out[1]);
    to = in[1];
    from = out[0];
}

static void put(const void *bytes, size_t size)
{
    for (ssize_t n; size > 0; bytes = (const char *)bytes + n, size -= n)
        while ((n = write(to, bytes, size)) <= 0)
            if (n == 0 || errno != EINTR) fail("qcow2 fuzz --mutate: write");
}

static void take(void *bytes, size_t size)
{
    for (ssize_t n; size > 0; bytes = (char *)bytes + n, size -= n)
        while ((n = read(from, bytes, size)) <= 0)
            if (n == 0 || errno != EINTR) fail("qcow2 fuzz --mutate: read");
}

/* Another image for the one in `data`, at most `most` bytes long, in `into`. The value is its length. */
static size_t mutate(const uint8_t *data, size_t size, uint8_t *into, size_t most, uint32_t seed)
{
    uint32_t head[3] = {seed, (uint32_t)most, (uint32_t)size}, length;
    if (to < 0) start();
    put(head, sizeof head);
    put(data, size);
    take(&length, sizeof length);
    take(into, length);
    return length;
}

/* libFuzzer: one mutation in four is ours, since its own are a hundred times faster. */
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) __attribute__((weak));

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed)
{
    if (seed % 4 != 0 && LLVMFuzzerMutate) return LLVMFuzzerMutate(data, size, most);
    return mutate(data, size, data, most, seed);
}

/* AFL++ */
struct state {
    uint32_t seed;
    uint8_t *bytes;
    size_t size;
};

void *afl_custom_init(void *afl, unsigned int seed)
{
    (void)afl;
    struct state *state = calloc(1, sizeof *state);
    if (state) state->seed = seed;
    return state;
}

size_t afl_custom_fuzz(void *data, uint8_t *image, size_t size, uint8_t **out, uint8_t *other, size_t other_size, size_t most)
{
    struct state *state = data;
    (void)other;
    (void)other_size;
    if (state->size < most) {
        free(state->bytes);
        if (!(state->bytes = malloc(most))) fail("malloc");
        state->size = most;
    }
    *out = state->bytes;
    return mutate(image, size, state->bytes, most, state->seed++);
}

void afl_custom_deinit(void *data)
{
    free(((struct state *)data)->bytes);
    free(data);
}
