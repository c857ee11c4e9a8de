#include "server/demo/pages.h"

#include "http/message.h"

namespace flowmend::demo {
namespace {

std::string frame(std::string_view title, const std::string& content) {
  return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width\">"
         "<title>" +
         std::string(title) +
         "</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 "
         "1rem;color-scheme:light dark}"
         "section,article{border:1px solid #8888;border-radius:8px;padding:1rem;margin:1rem 0}h2{margin-top:0}"
         "input,button{font:inherit;padding:.4rem .8rem}pre{white-space:pre-wrap;margin:.5rem 0}</style></head><body>" +
         content + "</body></html>";
}

}  // namespace

std::string control_page(const json::Value& state) {
  const json::Value* orders = state.find("orders");
  const json::Value* delivery = state.find("delivery");
  const bool down = delivery->text_of("status") == "down";
  std::string content =
      "<h1>The demo's services</h1><p>Flowmend's demo flows use these services. Change them, and see what the flows "
      "make of it.</p>";
  content +=
      "<section><h2>Orders</h2><p>User <code>" + http::html_escape(orders->text_of("user")) +
      "</code>, password <code>" + http::html_escape(orders->text_of("password")) +
      "</code></p><form id=\"orders\"><label>New password <input name=\"password\" required maxlength=\"200\"></label> "
      "<button>Change password</button></form></section>";
  content +=
      "<section><h2>Delivery</h2><p>It is <strong>" + std::string(down ? "down" : "up") + "</strong>" +
      (down ? ", and comes back by itself at " + http::html_escape(delivery->text_of("until").substr(11, 8)) + " UTC"
            : std::string()) +
      ".</p><button id=\"delivery\" data-to=\"" + (down ? "up" : "down") + "\">" + (down ? "Switch on" : "Switch off") +
      "</button></section>";
  content += "<section><h2>Mailbox</h2><p><a href=\"/mailbox\">See what was sent</a></p></section>";
  content +=
      "<script>const set=async b=>{const r=await "
      "fetch('/control',{method:'POST',headers:{'Content-Type':'application/json'},body:JSON.stringify(b)});"
      "if(!r.ok)alert((await r.json()).error.message);location.reload()};"
      "orders.onsubmit=e=>{e.preventDefault();set({ordersPassword:e.target.password.value})};"
      "delivery.onclick=e=>set({delivery:e.target.dataset.to});</script>";
  return frame("Demo services", content);
}

std::string mailbox_page(const json::Value& messages) {
  std::string content = "<h1>Mailbox</h1><p><a href=\"/\">The services</a></p>";
  if (messages.size() == 0) content += "<p>Nothing was sent yet.</p>";
  for (const json::Value& message : messages.as_array()) {
    content += "<article><h2>" + http::html_escape(message.text_of("subject")) + "</h2><p>To " +
               http::html_escape(message.text_of("to")) + ", " +
               http::html_escape(message.text_of("time").substr(0, 19)) + " UTC</p><pre>" +
               http::html_escape(message.text_of("body")) + "</pre></article>";
  }
  return frame("Mailbox", content);
}

}  // namespace flowmend::demo
