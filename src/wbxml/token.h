/*
 * The global tokens of WBXML (WAP-192 7.1) and the header's values: what the files of this folder share.
 */
#ifndef WBXML_TOKEN_H
#define WBXML_TOKEN_H

enum {
	WBXML_VERSION = 0x03,	/* 1.3 */
	WBXML_PUBLIC_ID = 0x01, /* unknown */
	WBXML_UTF8 = 0x6a	/* the IANA's number of the charset */
};

enum {
	WBXML_SWITCH_PAGE = 0x00,
	WBXML_END = 0x01,
	WBXML_ENTITY = 0x02,
	WBXML_STR_I = 0x03,
	WBXML_LITERAL = 0x04,
	WBXML_EXT_I_0 = 0x40,
	WBXML_EXT_I_1 = 0x41,
	WBXML_EXT_I_2 = 0x42,
	WBXML_PI = 0x43,
	WBXML_LITERAL_C = 0x44,
	WBXML_EXT_T_0 = 0x80,
	WBXML_EXT_T_1 = 0x81,
	WBXML_EXT_T_2 = 0x82,
	WBXML_STR_T = 0x83,
	WBXML_LITERAL_A = 0x84,
	WBXML_EXT_0 = 0xc0,
	WBXML_EXT_1 = 0xc1,
	WBXML_EXT_2 = 0xc2,
	WBXML_OPAQUE = 0xc3,
	WBXML_LITERAL_AC = 0xc4
};

/* An element's token is its number with two flags. */
enum {
	WBXML_TOKEN_FIRST = 0x05,
	WBXML_TOKEN_LAST = 0x3f,
	WBXML_CONTENT = 0x40,
	WBXML_ATTRIBUTES = 0x80
};

/* How dump.c and xml.c write opaque data, and a text that could be taken for them. */
#define WBXML_XML_OPAQUE "base64:"
#define WBXML_XML_TEXT	 "text:"

#endif
