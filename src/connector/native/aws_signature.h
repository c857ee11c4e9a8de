#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "http/client.h"

namespace flowmend::connector {

struct AwsCredential {
  std::string access_key;
  std::string secret_key;
  std::string region;
  std::string service;  ///< `s3`
};

/// Signs a request with AWS Signature Version 4: adds x-amz-date, x-amz-content-sha256 and Authorization. The URL's
/// path and query must be percent-encoded already, the query's fields in any order. For S3 the path is not encoded
/// again. Rule: docs.aws.amazon.com, "Authenticating Requests (AWS Signature Version 4)".
void sign_aws(http::Request& request, const AwsCredential& credential, Timestamp now);

}  // namespace flowmend::connector
