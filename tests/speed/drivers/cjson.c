#include "text.h"
#include "cJSON.h"
int main(int argc, char **argv) {
    int rounds = atoi(argv[2]);
    char *text = malloc(1 << 20), *end = text;
    end += sprintf(end, "[");
    for (int i = 0; i < 3000; i++)
        end += sprintf(end, "%s{\"name\": \"word %d\", \"values\": [%d, %d.5, true, null], \"more\": {\"a\\n\": -%de3}}",
                       i ? ", " : "", i, i, i * 3, i);
    sprintf(end, "]");
    cJSON *tree = cJSON_Parse(text);
    unsigned sum = 0;
    for (int round = 0; round < rounds; round++) {
        if (!strcmp(argv[1], "parse")) {
            cJSON *other = cJSON_Parse(text);
            sum = sum * 31 + cJSON_GetArraySize(other);
            cJSON_Delete(other);
        } else {
            char *printed = cJSON_PrintUnformatted(tree);
            sum = sum * 31 + digest((void *)printed, strlen(printed));
            free(printed);
        }
    }
    printf("%u\n", sum);
    return argc != 3;
}
