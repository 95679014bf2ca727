/*
 * Runs a reader of qcow2 over the conformance vectors.
 *
 *   cc -O2 -o run run.c -lcrypto
 *   ./run FOLDER 'qemu-img convert -f qcow2 -O raw {image} {out}'
 *
 * FOLDER holds vectors.tsv and a folder for each vector, where the command is run by /bin/sh. {image} is the name of
 * the image, {out} the raw file that it must write; without {out} the disk is what it prints. The exit code is 0 if
 * every vector came out as it must, 1 if one did not, 2 if the run itself failed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 10, FIELDS = 6 };

static char out[4096];

static void fail(const char *what) {
  perror(what);
  exit(2);
}

/* The command with names in its places. */
static char *filled(const char *command) {
  char *line = malloc(strlen(command) * 512 + 1), *end = line;
  if (line == NULL) fail("malloc");
  while (*command != '\0') {
    if (strncmp(command, "{image}", 7) == 0) {
      end = stpcpy(end, "img.qcow2");
      command += 7;
    } else if (strncmp(command, "{out}", 5) == 0) {
      end = stpcpy(end, out);
      command += 5;
    } else {
      *end++ = *command++;
    }
  }
  *end = '\0';
  return line;
}

/* Runs a line in a folder. The result is its exit code, or less than 0 if it died or took too long. */
static int run(const char *line, const char *folder, int prints) {
  pid_t pid = fork();
  int status, waited = 0;
  if (pid < 0) fail("fork");
  if (pid == 0) {
    int null = open("/dev/null", O_RDWR);
    int to = prints ? open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600) : null;
    setpgid(0, 0);
    if (chdir(folder) != 0 || null < 0 || to < 0) _exit(127);
    dup2(null, 0);
    dup2(to, 1);
    dup2(null, 2);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
  }
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (waited++ == SECONDS * 1000) {
      kill(-pid, SIGKILL);
      waitpid(pid, &status, 0);
      return -2;
    }
    usleep(1000);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Writes the SHA-256 of the first bytes of a file as text. */
static void digest(const char *path, long long length, char text[65]) {
  static unsigned char part[1 << 20];
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned int n = 0;
  FILE *file = fopen(path, "rb");
  EVP_MD_CTX *sha = EVP_MD_CTX_new();
  if (file == NULL || sha == NULL) fail(path);
  EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
  while (length > 0) {
    size_t want = length < (long long)sizeof part ? (size_t)length : sizeof part;
    size_t got = fread(part, 1, want, file);
    if (got == 0) break;
    EVP_DigestUpdate(sha, part, got);
    length -= (long long)got;
  }
  EVP_DigestFinal_ex(sha, sum, &n);
  EVP_MD_CTX_free(sha);
  fclose(file);
  for (unsigned int i = 0; i < n; i++) sprintf(text + 2 * i, "%02x", sum[i]);
}

/* NULL if a vector came out as it must; else what was found. */
static const char *judged(char **field, int code) {
  const char *result = field[1];
  long long wanted = atoll(field[2]);
  struct stat info;
  char text[65] = "";
  if (code == -2) return "took too long";
  if (code < 0 || code > 128) return "died";
  if (code == 127) return "could not be run";
  if (code != 0) return strcmp(result, "valid") == 0 ? "refused" : NULL;
  if (strcmp(result, "invalid") == 0) return "opened";
  if (stat(out, &info) != 0) return "exit code 0 and no disk";
  /* A size that is no whole number of sectors may be rounded. */
  if (info.st_size < wanted || info.st_size >= wanted + 512) return "a disk of another size";
  digest(out, wanted, text);
  return strcmp(text, field[3]) == 0 ? NULL : "other bytes";
}

int main(int argc, char **argv) {
  char path[4096], line[65536], scratch[] = "/tmp/vectors-XXXXXX";
  int passed = 0, failed = 0;
  if (argc != 3 || strstr(argv[2], "{image}") == NULL) {
    fprintf(stderr, "usage: %s FOLDER 'COMMAND {image} {out}'\n", argv[0]);
    return 2;
  }
  if (mkdtemp(scratch) == NULL) fail(scratch);
  snprintf(out, sizeof out, "%s/out.raw", scratch);
  char *command = filled(argv[2]);
  snprintf(path, sizeof path, "%s/vectors.tsv", argv[1]);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail(path);
  if (fgets(line, sizeof line, file) == NULL) fail(path);
  while (fgets(line, sizeof line, file) != NULL) {
    char *field[FIELDS], *rest = line;
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < FIELDS; i++)
      if ((field[i] = strsep(&rest, "\t")) == NULL) fail("vectors.tsv");
    snprintf(path, sizeof path, "%s/%s", argv[1], field[0]);
    unlink(out);
    const char *wrong = judged(field, run(command, path, strstr(argv[2], "{out}") == NULL));
    if (wrong == NULL) {
      passed++;
    } else {
      failed++;
      printf("%.*s: %s (%s): %s, must be %s\n", (int)strcspn(field[4], ","), field[4], field[0], field[5], wrong,
             field[1]);
    }
  }
  fclose(file);
  unlink(out);
  rmdir(scratch);
  free(command);
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
