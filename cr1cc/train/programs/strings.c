/* Strings: building, comparing, searching, converting, printing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *join(const char *const *words, int count, char between) {
    size_t length = 1;
    for (int i = 0; i < count; i++) length += strlen(words[i]) + 1;
    char *text = malloc(length), *end = text;
    for (int i = 0; i < count; i++) {
        if (i) *end++ = between;
        end = stpcpy(end, words[i]);
    }
    *end = 0;
    return text;
}

static int is_palindrome(const char *s) {
    size_t n = strlen(s);
    for (size_t i = 0; i < n / 2; i++)
        if (s[i] != s[n - 1 - i]) return 0;
    return 1;
}

int main(void) {
    static const char *const words[] = {"level", "stack", "noon", "", "register", "deed"};
    char *text = join(words, 6, ',');
    printf("%s %zu %d\n", text, strlen(text), memcmp(text, "level", 5));
    for (int i = 0; i < 6; i++) printf("%d%d ", is_palindrome(words[i]), strcmp(words[i], "n") > 0);
    char copy[64] = {0};
    strncpy(copy, text, 20);
    for (char *c = copy; (c = strchr(c, ',')); c++) *c = (char)('0' + (c - copy) % 10);
    printf("\n%s %ld %s\n", copy, strtol("-0x1fz", NULL, 16), strstr(text, "reg"));
    for (int i = 0; i < 5; i++) printf("[%*s|%-*s]", i + 2, "ab", i, "c");
    putchar('\n');
    free(text);
    return (int)strlen(copy);
}
