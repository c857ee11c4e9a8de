// Http actions that show who they are: a certificate to a service that wants one, a signed assertion to a token server.

#include <future>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "connector/http_call.h"
#include "connector/http_sign_in.h"
#include "connector/pkcs12.h"
#include "connector/text.h"
#include "harness.h"
#include "stores.h"

namespace flowmend::native_tests {
namespace {

std::string bytes_of(const std::string& path) {
  std::string out;
  FILE* file = std::fopen(path.c_str(), "rb");
  EXPECT_NE(file, nullptr) << path;
  char part[4096];
  for (std::size_t n = 0; file != nullptr && (n = std::fread(part, 1, sizeof part, file)) > 0;) out.append(part, n);
  if (file != nullptr) std::fclose(file);
  return out;
}

/// The base64 of a PKCS #12 file with a key of its own; `certificate` is left beside it as PEM.
std::string make_pfx(const TemporaryFolder& folder, const std::string& name, const std::string& password, bool rsa) {
  const std::string base = folder.path() + "/" + name;
  std::vector<std::string> request{program("openssl"), "req", "-x509", "-newkey"};
  if (rsa) {
    request.insert(request.end(), {"rsa:2048"});
  } else {
    request.insert(request.end(), {"ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"});
  }
  request.insert(request.end(),
                 {"-nodes", "-days", "2", "-subj", "/CN=flow", "-keyout", base + ".key", "-out", base + ".pem"});
  EXPECT_EQ(run(request), 0);
  EXPECT_EQ(run({program("openssl"), "pkcs12", "-export", "-inkey", base + ".key", "-in", base + ".pem", "-passout",
                 "pass:" + password, "-out", base + ".pfx"}),
            0);
  return connector::base64_encode(bytes_of(base + ".pfx"));
}

engine::Call http_call(const std::string& uri, const std::string& authentication) {
  engine::Call call;
  call.kind = engine::Call::Kind::http;
  call.timeout = Duration::seconds(10);
  call.inputs = json_of(R"({"method":"GET","uri":")" + uri + "\"}");
  call.sealed = json_of(authentication);
  return call;
}

TEST(HttpSignIn, ShowsItsCertificateToAServiceThatAsksForOne) {
  const TemporaryFolder folder;
  const Certificate server = make_certificate(folder);
  const std::string pfx = make_pfx(folder, "caller", "pass word", false);
  const std::string stranger = make_pfx(folder, "stranger", "x", false);
  const int port = free_port();
  const std::string configuration =
      folder.write("nginx.conf", "daemon off; pid " + folder.path() +
                                     "/nginx.pid; error_log stderr;\n"
                                     "events {}\nhttp { access_log off; client_body_temp_path " +
                                     folder.path() + "; proxy_temp_path " + folder.path() + "; fastcgi_temp_path " +
                                     folder.path() + "; uwsgi_temp_path " + folder.path() + "; scgi_temp_path " +
                                     folder.path() + ";\nserver { listen 127.0.0.1:" + std::to_string(port) +
                                     " ssl; ssl_certificate " + server.certificate + "; ssl_certificate_key " +
                                     server.key + "; ssl_client_certificate " + folder.path() +
                                     "/caller.pem; ssl_verify_client on;\n"
                                     "location / { default_type text/plain; return 200 \"$ssl_client_s_dn\"; } } }\n");
  const Server nginx(folder, {"nginx", "-p", folder.path(), "-c", configuration});
  ASSERT_TRUE(nginx.wait_for(port)) << nginx.log();
  http::ClientOptions options;
  options.certificate_authorities_file = server.certificate;
  http::Client client(options);
  const auto ask = [&](const std::string& authentication) {
    const engine::Call call = http_call("https://127.0.0.1:" + std::to_string(port) + "/", authentication);
    const auto request = connector::build_http_call(call);
    EXPECT_TRUE(request) << request.error().message;
    return http::send_and_wait(client, connector::to_http(*request, call));
  };
  const std::string good = R"({"type":"ClientCertificate","pfx":")" + pfx + R"(","password":"pass word"})";
  EXPECT_EQ(ask(R"({"type":"None"})").status, 400) << "nginx: no certificate was sent";
  const http::Reply reply = ask(good);
  EXPECT_EQ(reply.status, 200) << reply.error_message;
  EXPECT_EQ(reply.body, "CN=flow");
  // A connection that stands is nobody else's.
  EXPECT_EQ(ask(R"({"type":"ClientCertificate","pfx":")" + stranger + R"(","password":"x"})").status, 400);
  EXPECT_EQ(ask(R"({"type":"None"})").status, 400);
  EXPECT_EQ(ask(good).status, 200);
}

TEST(HttpSignIn, SaysWhatIsWrongWithACertificate) {
  const TemporaryFolder folder;
  const std::string pfx = make_pfx(folder, "caller", "right", false);
  const auto refusal = [&](const std::string& text, const std::string& password) {
    const auto request =
        connector::build_http_call(http_call("https://127.0.0.1/", R"({"type":"ClientCertificate","pfx":")" + text +
                                                                       R"(","password":")" + password + "\"}"));
    if (request) return std::string("none");
    EXPECT_EQ(request.error().code, "InvalidHttpInputs");
    EXPECT_EQ(request.error().message.find("wrong-password"), std::string::npos) << "secrets are not told";
    return request.error().message;
  };
  EXPECT_EQ(refusal(pfx, "right"), "none");
  EXPECT_NE(refusal(pfx, "wrong-password").find("its password is another"), std::string::npos);
  EXPECT_NE(refusal("aGVsbG8=", "right").find("no PKCS #12 file"), std::string::npos);
  EXPECT_NE(refusal("%%%", "right").find("no base64"), std::string::npos);
  EXPECT_NE(refusal("", "right").find("no base64"), std::string::npos);
}

TEST(HttpSignIn, SignsAnAssertionInPlaceOfASecret) {
  const TemporaryFolder folder;
  const std::string pfx = make_pfx(folder, "app", "p", true);
  const Timestamp now = parse_timestamp("2026-11-27T12:00:00Z").value();
  const auto request = connector::token_request(
      json_of(
          R"({"type":"ActiveDirectoryOAuth","authority":"https://sign.test/","tenant":"contoso","audience":"https://api.test",
                  "clientId":"me","credentialType":"Certificate","pfx":")" +
          pfx + R"(","password":"p"})"),
      now);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->url, "https://sign.test/contoso/oauth2/token");
  const std::string& body = request->body;
  EXPECT_NE(body.find("client_id=me&resource=https%3A%2F%2Fapi.test"), std::string::npos) << body;
  const std::string assertion = body.substr(body.find("client_assertion=") + 17);
  const std::size_t first = assertion.find('.');
  const std::size_t second = assertion.find('.', first + 1);
  ASSERT_NE(second, std::string::npos);
  const json::Value head = json_of(*connector::base64_decode(assertion.substr(0, first)));
  const json::Value claims = json_of(*connector::base64_decode(assertion.substr(first + 1, second - first - 1)));
  EXPECT_EQ(head.text_of("alg"), "RS256");
  EXPECT_EQ(claims.text_of("aud"), request->url);
  EXPECT_EQ(claims.text_of("iss"), "me");
  EXPECT_EQ(claims.text_of("sub"), "me");
  EXPECT_EQ(claims.find("exp")->as_integer(), now.to_unix_milliseconds() / 1000 + 600);

  // The signature is the certificate's.
  FILE* file = std::fopen((folder.path() + "/app.pem").c_str(), "rb");
  ASSERT_NE(file, nullptr);
  X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  ASSERT_NE(certificate, nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const std::string signature = *connector::base64_decode(assertion.substr(second + 1));
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, X509_get0_pubkey(certificate));
  EXPECT_EQ(EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                             reinterpret_cast<const unsigned char*>(assertion.data()), second),
            1);
  EVP_MD_CTX_free(context);
  X509_free(certificate);

  const std::string ec = make_pfx(folder, "ec", "p", false);
  const auto refused = connector::token_request(
      json_of(R"({"tenant":"t","audience":"a","clientId":"c","pfx":")" + ec + R"(","password":"p"})"), now);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("RSA"), std::string::npos);
}

}  // namespace
}  // namespace flowmend::native_tests
