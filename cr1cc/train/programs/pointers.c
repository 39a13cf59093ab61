/* Function pointers, tables of them, callbacks, linked lists, aliases. */
#include <stdio.h>
#include <stdlib.h>

typedef int (*operation)(int, int);
static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int twice_add(int a, int b) { return add(add(a, b), b); }
static int plus(int a, int b) { return a + b; }
int weak_value(void) __attribute__((weak));
int weak_value(void) { return 4; }
int real_name(int x) { return x * 3 + 1; }
extern int other_name(int x) __attribute__((alias("real_name")));

static operation table[] = {add, sub, twice_add, plus};
struct node { struct node *next; int value; };

static struct node *push(struct node *head, int value) {
    struct node *n = malloc(sizeof *n);
    n->next = head;
    n->value = value;
    return n;
}

static struct node *reverse(struct node *head) {
    struct node *result = NULL;
    while (head) {
        struct node *next = head->next;
        head->next = result;
        result = head;
        head = next;
    }
    return result;
}

static int fold(struct node *head, operation f, int start) {
    for (; head; head = head->next) start = f(start, head->value);
    return start;
}

int main(void) {
    struct node *list = NULL;
    for (int i = 0; i < 10; i++) list = push(list, i * i - 7);
    list = reverse(list);
    for (int i = 0; i < 4; i++) printf("%d ", fold(list, table[i], i));
    printf("%d %d %d %d\n", table[0] == table[3], weak_value(), other_name(9), list->value);
    while (list) { struct node *next = list->next; free(list); list = next; }
    return table[2](3, 4);
}
