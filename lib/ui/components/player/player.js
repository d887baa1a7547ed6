export default mountingModule("instrument.js", (root) => {
  root.querySelector(".words").textContent = "The player could not be loaded; reload the page.";
  root.querySelector(".player").dataset.part = "video";
  const notice = root.querySelector(".notice");
  notice.hidden = false;
  notice.dataset.kind = "problem";
});
