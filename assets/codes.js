/* Codes that are shown once: print the sheet alone, or keep it as a text file made in the browser. */
(function () {
  "use strict";
  function codesBeside(button) {
    return button.closest(".codes");
  }

  function print(button) {
    const codes = codesBeside(button);
    codes.classList.add("is-printed");
    document.documentElement.classList.add("prints-codes");
    window.print();
    document.documentElement.classList.remove("prints-codes");
    codes.classList.remove("is-printed");
  }

  function download(button) {
    const codes = codesBeside(button);
    const lines = Array.from(codes.querySelectorAll(".codes-list code"), (code) => code.textContent);
    const title = codes.querySelector(".codes-title").textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([[title, "", ...lines, ""].join("\n")], { type: "text/plain" }));
    link.download = button.getAttribute("data-download-codes");
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-print-codes], [data-download-codes]");
    if (!button) return;
    if (button.hasAttribute("data-print-codes")) print(button); else download(button);
  });
})();
