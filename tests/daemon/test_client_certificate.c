/* Certificates of clients, with openssl as the phone: who comes in with one, with whose, and without. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"

static struct daemon d;

static void __attribute__((format(printf, 1, 2))) shell(const char *fmt, ...)
{
	char command[2000], with[1800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(with, sizeof(with), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "cd %s && { %s; } >shell.log 2>&1", d.dir, with);
	cr_assert_eq(system(command), 0, "%s: %s", command, daemon_read(&d, "shell.log"));
}

/* A root, what it has signed, and the same name signed by a stranger. */
static void
make_certificates(void)
{
	daemon_write(&d, "ca.conf",
		"[ca]\ndefault_ca=c\n[c]\ndatabase=index\ncrlnumber=crlnumber\ndefault_md=sha256\n"
		"default_crl_days=9\ncertificate=ca.pem\nprivate_key=ca.key\n"
		"[client]\nextendedKeyUsage=clientAuth\n"
		"subjectAltName=email:U@example.org,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@upn."
		"test\n"
		"[server]\nextendedKeyUsage=serverAuth\n");
	shell("touch index; echo 01 >crlnumber");
	shell("for ca in ca other; do openssl req -x509 -newkey ec -pkeyopt "
	      "ec_paramgen_curve:P-256 "
	      "-nodes -days 9 -subj /CN=$ca -addext basicConstraints=critical,CA:TRUE "
	      "-keyout $ca.key -out $ca.pem || exit 1; done");
	shell("sign() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	      "-subj /CN=$4 -keyout $1.key -out $1.csr && openssl x509 -req -in $1.csr -CA $2.pem "
	      "-CAkey $2.key -CAcreateserial -days 9 -extfile ca.conf -extensions $3 -out $1.pem; "
	      "}; "
	      "sign u ca client u && sign v ca client v && sign stranger other client u && "
	      "sign wrong ca server u && sign gone ca client u && "
	      "openssl ca -config ca.conf -revoke gone.pem && "
	      "openssl ca -config ca.conf -gencrl -out crl.pem && cat ca.pem crl.pem >roots.pem");
}

/* The status of OPTIONS with this certificate (NULL: none) and these header lines. */
static int
status(const char *certificate, const char *headers)
{
	char option[100] = "";
	const char *answer;
	int http = 0;

	if (certificate != NULL)
		snprintf(option, sizeof(option), "-cert %s.pem -key %s.key", certificate,
			certificate);
	shell("printf 'OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\\r\\nHost: x\\r\\n%s"
	      "Connection: close\\r\\n\\r\\n' | timeout 20 openssl s_client -quiet -ign_eof %s "
	      "-connect 127.0.0.1:%u 2>client.log >answer || true",
		headers, option, d.tls_port);
	answer = daemon_read(&d, "answer");
	sscanf(answer, "HTTP/1.1 %d", &http);
	return http;
}

#define GOOD  "Authorization: Basic dTpzZWNyZXQ=\\r\\n"
#define WRONG "Authorization: Basic dTp3cm9uZw==\\r\\n"
#define ROOTS "client_certificates = \"roots.pem\"\n"
#define ALONE                                                             \
	"logins = {\"password\", \"certificate\"}\nmaster_user = \"u\"\n" \
	"master_password = \"secret\"\n"

static void
begin(const char *settings)
{
	char text[1000], roots[200];
	const char *at = strstr(settings, "roots.pem");

	snprintf(roots, sizeof(roots), "%s/roots.pem", d.dir);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - settings), settings, roots,
		at + strlen("roots.pem"));
	daemon_configure(&d, text);
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
}

static void
end(void)
{
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0, "%s", daemon_read(&d, "log"));
	d.pid = 0;
}

Test(client_certificate, alone, .timeout = 200)
{
	daemon_init(&d);
	make_certificates();
	begin(ROOTS ALONE "client_certificate_name = cn\n");
	cr_assert_eq(status("u", ""), 200, "%s%s", daemon_read(&d, "log"),
		daemon_read(&d, "client.log"));
	cr_assert_eq(status(NULL, ""), 401, "without one the handshake is completed");
	cr_assert_eq(status(NULL, GOOD), 200);
	cr_assert_eq(status("u", WRONG), 401, "what is sent counts");
	cr_assert_eq(status("v", ""), 401, "a user whom the mail server does not know");
	cr_assert_eq(status("stranger", ""), 401, "signed by another root");
	cr_assert_eq(status("wrong", ""), 401, "a server's certificate");
	cr_assert_eq(status("gone", ""), 401, "revoked");
	/* Roots are read anew with the certificate. */
	shell("cp other.pem roots.pem");
	kill(d.pid, SIGHUP);
	for (int i = 0; i < 200 && strstr(daemon_read(&d, "log"), "reloaded=cert") == NULL; i++)
		usleep(50000);
	cr_assert_eq(status("u", ""), 401);
	cr_assert_eq(status("stranger", ""), 200);
	end();
	/* The other places for a name; letter case of a domain does not count. */
	shell("cat ca.pem crl.pem >roots.pem");
	begin(ROOTS ALONE "strip_domain = yes\nclient_certificate_name = upn\n");
	cr_assert_eq(status("u", ""), 200, "%s", daemon_read(&d, "log"));
	end();
	begin(ROOTS ALONE "strip_domain = yes\nclient_certificate_name = email\n");
	cr_assert_eq(status("u", ""), 401, "U is not u");
	end();
	daemon_deinit(&d);
}

Test(client_certificate, required, .timeout = 200)
{
	const char *out;

	daemon_init(&d);
	make_certificates();
	begin(ROOTS "client_certificate_required = yes\nclient_certificate_name = cn\n");
	cr_assert_eq(status("u", GOOD), 200, "%s", daemon_read(&d, "log"));
	cr_assert_eq(status("u", WRONG), 401);
	cr_assert_eq(status("u", ""), 401, "a certificate alone does not log in here");
	cr_assert_eq(status(NULL, GOOD), 403);
	cr_assert_eq(status("v", GOOD), 403, "another user's");
	cr_assert_eq(status("gone", GOOD), 403);
	end();
	daemon_configure(&d, "client_certificate_required = yes\n");
	cr_assert_eq(daemon_run(&d, "check --config %d/m.conf", &out), 1);
	cr_assert_not_null(strstr(out, "needs client_certificates"), "%s", out);
	daemon_configure(&d, "logins = {\"certificate\"}\n");
	cr_assert_eq(daemon_run(&d, "check --config %d/m.conf", &out), 1);
	cr_assert_not_null(strstr(out, "needs master_user"), "%s", out);
	daemon_configure(&d, "client_certificates = \"/dev/null\"\n");
	cr_assert_eq(daemon_run(&d, "serve --config %d/m.conf", &out), 78, "%s", out);
	cr_assert_not_null(strstr(out, "no root certificate"), "%s", out);
	daemon_deinit(&d);
}

/* "bash ask HEADER ..." prints the status of OPTIONS with these headers, without TLS. */
static void
write_ask(void)
{
	char script[800];

	snprintf(script, sizeof(script),
		"{ printf '%%s\\r\\n' 'OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1' 'Host: x' "
		"'Connection: close' \"$@\" ''; } >question\n"
		"timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/%u; cat question >&3; head -1 <&3' "
		"| "
		"cut -d' ' -f2\n",
		d.port);
	daemon_write(&d, "ask", script);
}

/* A proxy that has ended TLS says it in a header: as nginx, Apache, HAProxy and RFC 9440 write it. */
Test(client_certificate, behind_a_proxy, .timeout = 200)
{
	static const struct {
		const char *name, *make; /* prints the header's value, of a certificate $1 */
	} forms[] = {
		{ "nginx", "sed 's/ /%20/g; s/+/%2B/g; s,/,%2F,g; s/=/%3D/g; s/$/%0A/' $1.pem | tr "
			   "-d '\\n'" },
		{ "apache", "tr '\\n' ' ' <$1.pem" },
		{ "haproxy", "openssl x509 -in $1.pem -outform der | base64 -w0" },
		{ "rfc9440", "echo :$(openssl x509 -in $1.pem -outform der | base64 -w0):" },
	};
	const char *out;

	daemon_init(&d);
	make_certificates();
	begin(ROOTS ALONE "client_certificate_name = cn\n"
			  "client_certificate_header = \"X-SSL-Client-Cert\"\n"
			  "login_failures = 1000\n");
	write_ask();
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		shell("value() { %s; }; test $(bash ask \"X-SSL-Client-Cert: $(value u)\") = 200",
			forms[i].make);
		shell("value() { %s; }; for c in v stranger wrong gone; do "
		      "test $(bash ask \"x-ssl-client-cert: $(value $c)\") = 401 || exit 1; done",
			forms[i].make);
	}
	shell("u=$(openssl x509 -in u.pem -outform der | base64 -w0) && "
	      "test $(bash ask) = 401 && test $(bash ask 'X-SSL-Client-Cert:') = 401 && "
	      "test $(bash ask 'X-SSL-Client-Cert: rubbish') = 401 && "
	      "test $(bash ask \"X-SSL-Client-Cert: $u\" 'X-SSL-Client-Cert: rubbish') = 401 && "
	      "test $(bash ask \"X-SSL-Client-Cert: -----BEGIN CERTIFICATE----- $u\") = 401 && "
	      "test $(bash ask \"X-Other: $u\") = 401");
	end();
	/* Only from those whom one trusts; and what does not fit is told at once. */
	begin(ROOTS ALONE "client_certificate_name = cn\ntrusted_proxies = {\"192.0.2.1\"}\n"
			  "client_certificate_header = \"X-SSL-Client-Cert\"\n");
	shell("u=$(openssl x509 -in u.pem -outform der | base64 -w0) && "
	      "test $(bash ask \"X-SSL-Client-Cert: $u\") = 401");
	end();
	daemon_configure(&d, "client_certificate_header = \"X-SSL-Client-Cert\"\n");
	cr_assert_eq(daemon_run(&d, "check --config %d/m.conf", &out), 1);
	cr_assert_not_null(strstr(out, "needs client_certificates"), "%s", out);
	daemon_deinit(&d);
}
