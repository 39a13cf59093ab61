#include "text.h"
#include "expat.h"
static unsigned elements, letters;
static void begin(void *data, const XML_Char *name, const XML_Char **attributes) {
    (void)data;
    elements = elements * 31 + name[0];
    for (; *attributes; attributes += 2) elements += attributes[1][0];
}
static void finish(void *data, const XML_Char *name) { (void)data, elements += name[0]; }
static void characters(void *data, const XML_Char *text, int n) { (void)data, (void)text, letters += n; }
int main(int argc, char **argv) {
    char *text = malloc(1 << 20), *end = text;
    end += sprintf(end, "<?xml version='1.0'?><all>");
    for (int i = 0; i < 6000; i++)
        end += sprintf(end, "<item id='%d' kind=\"of &lt;%d\"><b>words &amp; more words %d</b><!-- remark --></item>\n", i, i, i);
    end += sprintf(end, "</all>");
    for (int round = 0; round < atoi(argv[2]); round++) {
        XML_Parser parser = XML_ParserCreate("UTF-8");
        XML_SetElementHandler(parser, begin, finish);
        XML_SetCharacterDataHandler(parser, characters);
        if (!XML_Parse(parser, text, end - text, 1)) return 1;
        XML_ParserFree(parser);
    }
    printf("%u %u\n", elements, letters);
    return argc != 3;
}
